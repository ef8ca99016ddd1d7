"""A compiled model gives the model's own bits, whatever the model and the rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fraudops.errors import ContractError
from fraudops.training.calibration import Isotonic
from fraudops.training.compiled import compile_model
from fraudops.training.estimators import ESTIMATORS

from tests.training.compiled.models import BLENDS, frame, model, rows, strange_rows

ALL = [*ESTIMATORS, *(f"blend {average}" for average in BLENDS), "sampled"]


@pytest.mark.parametrize("name", ALL)
def test_the_bits_are_the_models_own(name: str) -> None:
    fitted, given = model(name), strange_rows()
    compiled = compile_model(fitted)
    known = fitted.score(frame(given))
    matrix, of_frame = compiled.matrix(given), fitted.matrix(frame(given))
    assert matrix.dtype == of_frame.dtype
    assert np.array_equal(matrix, of_frame, equal_nan=True)
    assert compiled.score(given).tolist() == known.tolist()
    assert [compiled.score([row])[0] for row in given] == known.tolist()
    many = rows()[2].to_dict("records")
    assert compiled.score(many).tolist() == fitted.score(rows()[2]).tolist()
    assert compiled.kind == ("estimator" if name == "hist_gradient_boosting" else "compiled")


def test_with_an_isotonic_curve_as_well() -> None:
    fitted, given = model("lightgbm"), strange_rows()
    corners = np.linspace(0, 1, 500)
    curve = Isotonic(corners, np.round(corners**1.3, 2), fitted.calibration)
    fitted = dataclasses.replace(fitted, calibration=curve)
    assert compile_model(fitted).score(given).tolist() == fitted.score(frame(given)).tolist()


def test_an_absent_column_is_named() -> None:
    compiled = compile_model(model("xgboost"))
    row = strange_rows()[0]
    for name in ("age", "channel", "same"):
        with pytest.raises(ContractError, match=f"not there: {name}"):
            compiled.score([{key: value for key, value in row.items() if key != name}])
    with pytest.raises(ContractError, match="not a number"):
        compiled.score([{**row, "age": "forty"}])


def test_no_rows_have_no_scores() -> None:
    assert compile_model(model("xgboost")).score([]).shape == (0,)
