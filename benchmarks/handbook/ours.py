"""Ours on the Handbook's payments: the portfolio's features and a candidate of it, trained on all that was known.

For each test week and seed the candidate is trained as the library does it before any window: fitted, calibrated and
given its thresholds on what was known when the week began, then fitted again on all of that.
"""

from __future__ import annotations

import argparse
import json
from datetime import timedelta
from pathlib import Path

from fraudops.training.prequential import train_on

from benchmarks.handbook import payments, protocol


def main() -> None:
    """Run it on the Parquet file and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--candidate", default="blend")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42], help="of the first test week")
    parser.add_argument("--weeks", type=int, default=4, help="test weeks; those after the first with the first seed")
    parser.add_argument("--before", type=int, default=0, help="this many weeks before the first test week instead")
    options = parser.parse_args()

    handbook = payments.portfolio()
    rows = payments.read(options.file, handbook)
    weeks = list(protocol.TESTED[: options.weeks])
    if options.before:
        # How the candidate was chosen: on weeks that end before the book's training week begins.
        weeks = [protocol.TESTED[0] - timedelta(weeks=2 + back) for back in range(options.before, 0, -1)]
    found = []
    for number, start in enumerate(weeks):
        learned, tested = protocol.known(rows, start), protocol.tested(rows, start)
        for seed in options.seeds if number == 0 else options.seeds[:1]:
            model = train_on(handbook, options.candidate, learned, where=f"{start:%Y-%m-%d}", seed=seed)
            measured = protocol.measure(tested, model.score(tested))
            found.append({"start": f"{start:%Y-%m-%d}", "seed": seed, "learned": len(learned), **measured.to_dict()})
    print(json.dumps({"candidate": options.candidate, "found": found}))


if __name__ == "__main__":
    main()
