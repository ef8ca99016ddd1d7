"""An installation with a champion for the portfolio ``cards``, and the requests of the days that follow.

``python -m benchmarks.serving.world FOLDER`` in the environment of the installation (``FRAUDOPS_STATE``, …).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from fraudops.database import migrate
from fraudops.intake.simulation import World
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.settings import Settings

from benchmarks.backfill.champion import promote_champion

PORTFOLIO = "cards"
START = date(2026, 3, 1)
DAYS = 40
"""Of history: longer than any window of the portfolio."""
PAYMENTS = 3_000
"""A day."""
SINGLE, BATCHES = "single.jsonl", "batches.jsonl"
_IN_BATCH = 1_000


def main(folder: Path) -> None:
    """Prepare the installation, and write request bodies into the folder: a transaction each, and a thousand each."""
    settings = Settings.from_environment()
    migrate(settings.require_database_owner_url())
    world = World(seed=7, start=START, payments_per_day=PAYMENTS, dirty_share=0)
    promote_champion(settings, PORTFOLIO, world, DAYS)
    portfolio = load_portfolio(settings.portfolios / f"{PORTFOLIO}.yaml")
    first = START + timedelta(days=DAYS)
    rows = list(_rows(portfolio, world, first, first + timedelta(days=24)))
    folder.mkdir(parents=True, exist_ok=True)
    half = len(rows) // 2
    with (folder / SINGLE).open("w") as file:
        for row in rows[:half]:
            file.write(json.dumps({"portfolio": PORTFOLIO, "transaction": row}) + "\n")
    with (folder / BATCHES).open("w") as file:
        for place in range(half, len(rows) - _IN_BATCH, _IN_BATCH):
            file.write(json.dumps({"portfolio": PORTFOLIO, "transactions": rows[place : place + _IN_BATCH]}) + "\n")
    print(json.dumps({"rows": len(rows)}))


def _rows(portfolio: Portfolio, world: World, first: date, last: date) -> Iterator[dict[str, Any]]:
    """Payments under the portfolio's own names, in the order of time, without those that lack a value they need."""
    from fraudops.intake.simulator.feed import payments_header, payments_text
    from fraudops.intake.simulator.world import simulate

    theirs = payments_header().decode().strip().split(",")
    ours = {theirs_name: name for name, theirs_name in portfolio.transactions[0].columns.items()}
    for day in world.days(first, last):
        for line in payments_text(world, simulate(world, day)).decode().splitlines():
            row = zip((ours.get(name, name) for name in theirs), line.split(","), strict=True)
            yield {name: value for name, value in row if value}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
