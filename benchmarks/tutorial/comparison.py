"""The average precision of two models on the same test rows, and how sure their difference is."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from fraudops.evaluation.bootstrap import paired_bootstrap


def main() -> None:
    """Compare two files of scores and print the difference, ours minus the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours", type=Path)
    parser.add_argument("reference", type=Path)
    parser.add_argument("--resamples", type=int, default=2_000)
    options = parser.parse_args()
    with np.load(options.ours) as ours, np.load(options.reference) as reference:
        if not np.array_equal(ours["label"], reference["label"]):
            raise SystemExit("the two were not tested on the same rows")
        found = paired_bootstrap(ours["label"], ours["score"], reference["score"], resamples=options.resamples)
    print(json.dumps(found.to_dict() if found else {}))


if __name__ == "__main__":
    main()
