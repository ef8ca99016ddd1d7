"""The tutorial's rows on a small file: both sides run, and each number comes from where it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fraudops.portfolio import Portfolio

from benchmarks.rows import Conditions, Row
from benchmarks.tutorial import ours, rows
from benchmarks.tutorial.split import TUTORIAL
from tests.benchmarks.conftest import Data, HereRunner


def measured(data: Data, folder: Path) -> list[Row]:
    work = folder / "work"
    work.mkdir()
    return list(rows.measure(Conditions(data(172_800), work, quick=True, say=lambda text: None)))


def test_every_row_is_measured(here: type[HereRunner], data: Data, tmp_path: Path) -> None:
    cost, difference, seeds, by_time = measured(data, tmp_path)
    assert [row.name for row in (cost, difference, seeds, by_time)] == list(rows.SUITE.rows)
    assert (cost.ours, cost.reference, cost.ratio, cost.met) == (2.0, 2.0, 1.0, False)
    assert difference.details["difference"]["positives"] == sum(difference.details["confusion"]["reference"][1])
    assert difference.details["difference"]["difference"] == pytest.approx(difference.ours - difference.reference)
    assert difference.met is (difference.details["difference"]["low"] > 0)
    assert seeds.ours == pytest.approx(np.median(list(seeds.details["seeds"].values())), abs=1e-4)
    assert seeds.met is (seeds.ours >= 0.888)
    assert by_time.met is (by_time.ours >= 0.8)
    assert (list(by_time.details["seeds"]), by_time.details["n"]) == (["42"], 600)


def test_a_hurry_grows_the_forest_once_and_tries_three_seeds(
    here: type[HereRunner], data: Data, tmp_path: Path
) -> None:
    measured(data, tmp_path)
    started = [module.rsplit(".", 1)[1] for module, _ in here.started]
    assert started == ["ours", "ours", "ours", "reference", "comparison", "ours"]
    assert [arguments[-1] for _, arguments in here.started[:3]] == ["42", "43", "44"]


def test_equal_rows_are_not_learned_and_calibrated_on(portfolios: dict[str, Portfolio]) -> None:
    content = np.repeat(np.arange(500), 2)
    frame = pd.DataFrame({"transaction_id": content.astype(str), "label": content % 20 == 0})
    train, validation = ours.slices(frame, TUTORIAL)
    assert len(train) + len(validation) == 1_000
    assert validation["label"].sum() == 6
    assert not set(train["transaction_id"]) & set(validation["transaction_id"])
