"""What the tutorial's evaluation is worth: on noise it reads perfect too, once the model has seen the rows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.tutorial_leakage import preprocess, read_twice

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def noise() -> pd.DataFrame:
    """Rows of which nothing can be learned: the label has nothing to do with them."""
    random = np.random.default_rng(3)
    rows = pd.DataFrame(random.normal(size=(4_000, 5)), columns=[f"V{n}" for n in range(1, 6)])
    return rows.assign(Amount=random.exponential(50, 4_000).round(2), Class=(random.random(4_000) < 0.05).astype(int))


def test_a_useless_model_reads_perfect_on_rows_that_it_has_learned(noise: pd.DataFrame) -> None:
    encoded, _ = preprocess(noise)
    unseen, seen = read_twice(encoded, trees=40)
    assert unseen.roc_auc < 0.62
    assert unseen.average_precision < 0.15
    assert seen.roc_auc > 0.999
    assert seen.average_precision > 0.99


def test_what_preprocessing_did_is_counted(noise: pd.DataFrame) -> None:
    text = noise.assign(country=np.where(noise["V1"] > 0, "FR", "DE"))
    text.loc[:9, "V2"] = np.nan
    twice = pd.concat([text, text[text["Class"] == 1].head(2), text[text["Class"] == 0].head(3)])
    _, found = preprocess(twice)
    assert found.filled == 10 + twice["V2"].isna().sum() - 10
    assert found.encoded == 1
    assert (found.duplicates, found.duplicated_frauds) == (5, 2)
    assert found.amount_correlation == pytest.approx(1)


@pytest.mark.real_data
def test_on_the_tutorials_file_preprocessing_does_nothing(real_data: Path) -> None:
    """The first lines that docs/from-the-tutorial.md quotes."""
    rows = pd.read_csv(real_data / "ulb_creditcard.csv.gz")
    encoded, found = preprocess(rows)
    assert (found.filled, found.encoded) == (0, 0)
    pd.testing.assert_frame_equal(encoded.drop(columns="normalized_amount"), rows)
    assert f"{found.amount_correlation:.3f}" == "1.000"
    page = (CHECKOUT / "docs" / "from-the-tutorial.md").read_text()
    assert f"{len(rows):,} rows; fillna replaces 0 values, get_dummies adds 0 columns" in page
    assert f"{found.duplicates:,} rows repeat another one, {found.duplicated_frauds} of them frauds" in page


def test_the_command_prints_both_readings(noise: pd.DataFrame, tmp_path: Path) -> None:
    noise.to_csv(tmp_path / "noise.csv", index=False)
    command = [sys.executable, "benchmarks/tutorial_leakage.py", str(tmp_path / "noise.csv"), "--trees", "20"]
    found = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert "4,000 rows; fillna replaces 0 values" in found
    assert "trained on 80 %" in found
    assert "trained again, on all rows" in found
