"""``python -m tests.chaos``: kills, and a verdict. The last line is JSON; the exit code is 0 where all is equal."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.tally import Tally

_UNUSED = ("airflow.", "lightgbm", "xgboost")
"""What no step of this life imports."""

_STACK_SHARE = 10
"""Of so many kills one hits a stack: recovering takes it half a minute, a step of the library a second."""


def main() -> int:
    """Run the trials."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--layer", choices=("both", "library", "stack"), default="both")
    parser.add_argument("--seed", type=int, default=1, help="other faults at other moments")
    parser.add_argument("--short", action="store_true", help="one day of a life that has a champion")
    parser.add_argument("--port", type=int, default=8135, help="of the stack's UI")
    parser.add_argument("--keep", action="store_true", help="leave the folder of the lives for a look")
    arguments = parser.parse_args()
    on_stack = {"both": arguments.kills // _STACK_SHARE, "stack": arguments.kills, "library": 0}[arguments.layer]

    # One thread each, so that nothing runs in the background when a child is forked.
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
    _import_what_steps_import()
    from tests.chaos.tally import Tally

    began, tally = time.monotonic(), Tally()
    if arguments.kills > on_stack:
        with _folder(arguments.keep) as root:
            _break_library(root, tally, arguments.kills - on_stack, arguments.seed, short=arguments.short)
    if on_stack:
        with _folder(arguments.keep) as root:
            _break_stack(root, tally, on_stack, arguments.seed, arguments.port)
    for line in tally.lines():
        _say(line)
    _say(f"{time.monotonic() - began:.0f} s")
    sys.stdout.write(json.dumps(tally.verdict) + "\n")
    return 0 if tally.is_equal else 1


def _break_library(root: Path, tally: Tally, kills: int, seed: int, *, short: bool) -> None:
    from tests.chaos.library import Library, boundaries
    from tests.chaos.places import Places

    began, places = time.monotonic(), Places(root)
    try:
        places.open()
        library = Library(places, tally, seed, _say)
        stages = library.live_twin(trained=short)
        for line in boundaries(stages):
            _say(line)
        on_end = kills // 8
        trials = library.plan(stages, kills - on_end)
        for number, (stage, fault) in enumerate(trials, start=1):
            library.trial(stage, fault)
            if number % 25 == 0:
                _say(f"{number} of {len(trials)} trials, {time.monotonic() - began:.0f} s")
        if on_end:
            library.disturbed_life(stages, on_end)
    finally:
        places.close()


def _break_stack(root: Path, tally: Tally, kills: int, seed: int, port: int) -> None:
    from tests.chaos.stack import Lives

    lives = Lives(root, days=max(4, kills), seed=seed, say=_say, port=port)
    difference, found = lives.run(kills)
    for line in difference.lines():
        _say(f"    {line}")
    tally.add(difference, found)
    tally.kills.update({f"stack: {target}": count for target, count in lives.kills.items()})
    tally.interventions += lives.interventions


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    """A short path that PostgreSQL's user can enter."""
    root = Path(tempfile.mkdtemp(prefix="fo-chaos-"))
    root.chmod(0o755)
    try:
        yield root
    finally:
        if keep:
            _say(f"kept {root}")
        else:
            shutil.rmtree(root, ignore_errors=True)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _import_what_steps_import() -> None:
    """Once, as the scheduler does, and not in each child; importing is all that may happen before a fork."""
    from fraudops_airflow.preload import LIBRARIES, WIRING, preload, rooms

    preload(name for name in (*LIBRARIES, *WIRING, *rooms()) if not name.startswith(_UNUSED))


if __name__ == "__main__":
    raise SystemExit(main())
