"""The real files: what a person wrote by hand for them is what is inferred."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fraudops.intake.inference import infer
from fraudops.portfolio import Portfolio, Role, load_portfolio

CHECKOUT = Path(__file__).resolve().parents[3]
_PEAK = """
import resource, sys
from pathlib import Path
from fraudops.intake.inference import infer
infer(Path(sys.argv[1]))
print(int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) // 1024)
"""


def inferred(file: Path, name: str, folder: Path) -> Portfolio:
    path = folder / f"{name}.yaml"
    path.write_text(infer(file, name).text)
    return load_portfolio(path)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "file"), [("ulb", "ulb_creditcard.csv.gz"), ("handbook", "handbook_transactions.parquet")]
)
def test_the_draft_is_what_a_person_wrote(
    real_data: Path, portfolios: dict[str, Portfolio], tmp_path: Path, name: str, file: str
) -> None:
    by_hand = portfolios[name]
    found = inferred(real_data / file, name, tmp_path)
    roles = {by_hand.transactions[0].calls(column): by_hand.columns[column].role for column in by_hand.columns}
    assert {found.transactions[0].calls(column): found.columns[column].role for column in found.columns} == roles
    assert found.partition_hours == by_hand.partition_hours
    assert found.columns["event_time"].unit == by_hand.columns["event_time"].unit
    assert found.columns["label"].positive == by_hand.columns["label"].positive
    assert found.named(Role.ENTITY) == by_hand.named(Role.ENTITY)


@pytest.mark.real_data
def test_a_large_file_is_inferred_in_little_memory(real_data: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "include")}
    output = subprocess.run(
        [sys.executable, "-c", _PEAK, str(real_data / "ulb_creditcard.csv.gz")],
        check=True, capture_output=True, text=True, env=environment,
    ).stdout  # fmt: skip
    assert int(output) < 800
