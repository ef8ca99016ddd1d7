"""``python -m tests.chaos``: kills, and a verdict. The last line is JSON; the exit code is 0 where all is equal."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    """Run the trials."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="begin with a champion: no training is broken off")
    parser.add_argument("--keep", action="store_true", help="leave the folder of the lives for a look")
    arguments = parser.parse_args()

    _import_what_steps_import()
    from tests.chaos.library import Library, boundaries
    from tests.chaos.places import Places

    began = time.monotonic()
    root = Path(tempfile.mkdtemp(prefix="fo-chaos-"))
    places = Places(root)
    try:
        places.open()
        library = Library(places, arguments.seed, _say)
        stages = library.live_twin(trained=arguments.short)
        for line in boundaries(stages):
            _say(line)
        on_end = arguments.kills // 8
        trials = library.plan(stages, arguments.kills - on_end)
        for number, (stage, fault) in enumerate(trials, start=1):
            library.trial(stage, fault)
            if number % 25 == 0:
                _say(f"{number} of {len(trials)} trials, {time.monotonic() - began:.0f} s")
        if on_end:
            library.disturbed_life(stages, on_end)
    finally:
        places.close()
        if arguments.keep:
            _say(f"kept {root}")
        else:
            shutil.rmtree(root, ignore_errors=True)
    tally = library.tally
    for error, count in tally.errors.most_common():
        _say(f"{count} times: {error}")
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(tally.kills.items()))
    _say(f"kills: {kinds}; {tally.survived} were not noticed; {tally.different} differences in content")
    _say(f"mails repeated under their Message-ID: {tally.repeated}; temporary files left over: {tally.left_over}")
    _say(f"{time.monotonic() - began:.0f} s")
    equal = not (tally.lost or tally.doubled or tally.different)
    verdict = {"kills": tally.kills.total(), "lost": tally.lost, "doubled": tally.doubled, "equal": equal}
    sys.stdout.write(json.dumps(verdict) + "\n")
    return 0 if equal else 1


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _import_what_steps_import() -> None:
    """Once, as the scheduler does, and not in each child; importing is all that may happen before a fork."""
    from fraudops_airflow.preload import LIBRARIES, preload, rooms

    preload(name for name in (*LIBRARIES, *rooms()) if not name.startswith("airflow."))


if __name__ == "__main__":
    raise SystemExit(main())
