"""Numbers, truths, labels and joined texts, in every spelling that files have for them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from fraudops.intake.values import booleans, joined, labels, numbers, without_markers
from fraudops.portfolio import Column, Role


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$134.09", 134.09),
        ("-$5", -5.0),
        ("$-5", -5.0),
        ("€ 1200", 1200.0),
        ("12.50 €", 12.5),
        ("£.5", 0.5),
        ("$", None),
        ("1,234", None),
    ],
)
def test_a_currency_sign_is_no_part_of_the_number(text: str, expected: float | None) -> None:
    values, wrong = numbers(pa.array([text]))
    assert values.to_pylist() == [expected]
    assert bool(wrong) == (expected is None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,234.50", 1234.5),
        ("-12,345,678", -12_345_678.0),
        ("1234.5", 1234.5),
        ("1,23", None),
        ("12,3456", None),
        ("1,234,", None),
        ("$1,234.00", 1234.0),
    ],
)
def test_separators_of_thousands(text: str, expected: float | None) -> None:
    assert numbers(pa.array([text]), ".", ",")[0].to_pylist() == [expected]


def test_a_decimal_comma_with_points_between_thousands() -> None:
    values, wrong = numbers(pa.array(["1.234,50", "12,5", "1.23"]), ",", ".")
    assert values.to_pylist() == [1234.5, 12.5, None]
    assert [item.rows.tolist() for item in wrong] == [[False, False, True]]


def test_markers_stand_for_no_value() -> None:
    assert without_markers(pa.array(["NA", " ? ", "na", "NAN", None]), ["NA", "?"]).to_pylist() == [
        None, None, "na", "NAN", None,
    ]  # fmt: skip
    assert without_markers(pa.array([1, 2]), ["1"]).to_pylist() == [1, 2]


def test_an_entity_of_several_columns() -> None:
    found = joined([pa.array(["0", None, None, "1"]), pa.array([3, 4, None, 12])])
    assert found.to_pylist() == ["0|3", "|4", None, "1|12"]
    # Not the same as 11 and 2.
    assert joined([pa.array(["11"]), pa.array(["2"])]).to_pylist() == ["11|2"]


def label(**settings: Any) -> Column:
    return Column(role=Role.LABEL, **settings)


def test_a_label_in_words() -> None:
    assert labels(pa.array(["Yes", "No", "YES", "", "1.0"]), label())[0].to_pylist() == [True, False, True, None, True]
    found, wrong = labels(pa.array(["Fraud", "Legit", "?"]), label(positive=("fraud",), negative=("legit",)))
    assert found.to_pylist() == [True, False, None]
    assert [item.reason for item in wrong] == ["not a label"]


def test_yaml_s_yes_and_one_are_texts() -> None:
    column = Column.model_validate({"role": "label", "positive": [True, 1], "negative": [False, 0]})
    assert (column.positive, column.negative) == (("yes", "1"), ("no", "0"))


def test_a_boolean_in_words_of_its_own() -> None:
    usual = Column(role=Role.BOOLEAN)
    assert booleans(pa.array(["T", "f", "on", "", "0"]), usual)[0].to_pylist() == [True, False, True, None, False]
    own = Column(role=Role.BOOLEAN, positive=("chip",), negative=("swipe",))
    found, wrong = booleans(pa.array(["Chip", "swipe", "online"]), own)
    assert found.to_pylist() == [True, False, None]
    assert wrong[0].rows.tolist() == [False, False, True]
