"""The ULB file as a whole: time and memory of landing 284,807 rows of 31 columns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

_SCRIPT = """
import json, resource, sys, time
from pathlib import Path
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.portfolio import load_portfolio
from fraudops.store import Store
from fraudops.workspace import Workspace

folder, file, database, portfolio = sys.argv[1:]
ws = Workspace(store=Store(folder), landing=Path(folder), database_url=database, token_key=b"t" * 32,
               ledger_key=b"l" * 32)
started = time.process_time()
result = land(ws, load_portfolio(Path(portfolio)), FeedFiles([Path(file)]))
seconds = time.process_time() - started
peak = int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) // 1024
again = land(ws, load_portfolio(Path(portfolio)), FeedFiles([Path(file)]))
print(json.dumps({"rows": result.rows_accepted, "keys": result.keys, "cpu_seconds": seconds, "peak_mib": peak,
                  "changed_again": again.changed_keys}))
"""


@pytest.mark.real_data
def test_the_ulb_file_is_landed_quickly_in_little_memory(
    real_data: Path, workspace: Workspace, portfolios: dict[str, Portfolio], tmp_path: Path
) -> None:
    checkout = Path(__file__).resolve().parents[2]
    arguments = [
        str(tmp_path / "ulb"), str(real_data / "ulb_creditcard.csv.gz"), workspace.database_url,
        str(checkout / "include" / "portfolios" / "ulb.yaml"),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(checkout / "include")}
    output = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments], check=True, capture_output=True, text=True, env=environment
    ).stdout
    found = json.loads(output)
    assert (found["rows"], len(found["keys"]), found["changed_again"]) == (284_807, 8, [])
    assert found["cpu_seconds"] < 15
    assert found["peak_mib"] < 800
