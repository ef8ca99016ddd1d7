"""Measures everything, writes it as JSON, and prints it as a table: ``python -m benchmarks [--quick]``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.cards.rows import SUITE as CARDS
from benchmarks.data import HANDBOOK, ULB
from benchmarks.features.rows import SUITE as FEATURES
from benchmarks.handbook.rows import SUITE as HANDBOOK_PROTOCOL
from benchmarks.header import header
from benchmarks.ingest.rows import SUITE as INGEST
from benchmarks.ledger.rows import SUITE as LEDGER
from benchmarks.online.rows import SUITE as ONLINE
from benchmarks.pages.rows import SUITE as PAGES
from benchmarks.processes import CHECKOUT
from benchmarks.rows import Conditions, measure
from benchmarks.rules.rows import SUITE as RULES
from benchmarks.serving.rows import SUITE as SERVING
from benchmarks.single.rows import SUITE as SINGLE
from benchmarks.table import show
from benchmarks.tutorial.rows import SUITE as TUTORIAL

SUITES = {
    "tutorial": TUTORIAL,
    "handbook": HANDBOOK_PROTOCOL,
    "cards": CARDS,
    "ingest": INGEST,
    "features": FEATURES,
    "rules": RULES,
    "ledger": LEDGER,
    "single": SINGLE,
    "pages": PAGES,
    "online": ONLINE,
    "serving": SERVING,
}
_WIDTH = 160
LATEST = CHECKOUT / "benchmarks" / "results" / "latest.json"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure; a goal that is missed is told in its row."""
    options = _options(arguments)
    # Wide enough for the table where nobody says how wide a line may be: in a pipe, in a log.
    console = Console() if sys.stdout.isatty() else Console(width=_WIDTH)
    folder = os.environ.get("FRAUDOPS_DATA")
    data = Path(folder) if folder else None
    load = os.getloadavg()[0]
    chosen = [SUITES[name] for name in options.only or SUITES]
    with tempfile.TemporaryDirectory(prefix="fraudops-benchmarks-") as work:
        conditions = Conditions(data, Path(work), options.quick, _narrate)
        rows = [row.to_dict() for row in measure(chosen, conditions)]
    result = {"header": header(quick=options.quick, data=_there(data), load_before=load), "rows": rows}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    show(result["header"], rows, console)
    console.print(f"written to {options.output}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, and without what takes minutes")
    parser.add_argument("--only", action="append", choices=sorted(SUITES), help="measure these rows alone")
    parser.add_argument("--output", type=Path, default=LATEST, help="where the JSON goes")
    return parser.parse_args(arguments)


def _narrate(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _there(data: Path | None) -> list[Path]:
    return [data / name for name in (ULB, HANDBOOK) if data is not None and (data / name).is_file()]


if __name__ == "__main__":
    main()
