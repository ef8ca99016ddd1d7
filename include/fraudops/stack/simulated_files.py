"""Writes the files of the demo's simulated world: the bulk load's, and those of the weeks that go by later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from fraudops.stack.itinerary import Itinerary


def write_stretch(plan: Itinerary, folder: Path, keys: Sequence[str]) -> tuple[list[Path], bool]:
    """Write the files of some days that follow one another, and the record of the world, unless they are there.

    Days between such stretches are written when their runs ask for them.

    Returns
    -------
    (list of Path, bool)
        The files, and whether they were written now.
    """
    from fraudops.intake.simulation import kind_for, save_world, write_history

    if plan.simulation is None or not keys:
        return [], False
    kind = kind_for(plan.portfolio.name)
    world = kind.world(
        seed=plan.simulation.seed, start=plan.first_day, payments_per_day=plan.simulation.payments_per_day
    )
    save_world(folder, world)
    files = sorted(folder.glob(f"*_history_{keys[0]}_{keys[-1]}.csv.gz"))
    if len(files) >= kind.in_bulk:
        return files, False
    return write_history(folder, world, date.fromisoformat(keys[0]), date.fromisoformat(keys[-1])), True
