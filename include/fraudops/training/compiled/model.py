"""A compiled model: rows in, calibrated probabilities of fraud out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fraudops.training.compiled.estimators import Probability, compile_estimator
from fraudops.training.compiled.rows import Matrix, NotCompilableError, Row, RowReader, compile_rows
from fraudops.training.model import FraudModel

Kind = Literal["compiled", "estimator", "frame"]


@dataclass(frozen=True, eq=False)
class CompiledModel:
    """A model that scores rows without pandas; several threads may use one.

    Attributes
    ----------
    model
        What it was made of.
    kind
        ``compiled``: all of it. ``estimator``: its preprocessing, while its estimator is called as in training.
        ``frame``: nothing; rows are made into a frame and scored by the model itself.
    """

    model: FraudModel
    kind: Kind
    reader: RowReader | None = None
    probability: Probability | None = None

    def score(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """Calibrated probability of fraud of each row; the same bits as the model's own of a frame of them.

        Parameters
        ----------
        rows
            Column → value, with the model's columns; others are not looked at. Numbers, yes and no, texts, None.

        Raises
        ------
        ContractError
            A column is absent, or a number is none.
        """
        if not len(rows):
            return np.empty(0, np.float64)
        if self.reader is None or self.probability is None:
            return np.asarray(self.model.score(pd.DataFrame(list(rows))), np.float64)
        return self.model.calibration.apply(self.probability(self.reader.matrix(rows)))

    def matrix(self, rows: Sequence[Row]) -> Matrix:
        """What the estimator is given for these rows, as :meth:`~fraudops.training.model.FraudModel.matrix`."""
        if self.reader is None:
            return self.model.matrix(pd.DataFrame(list(rows)))
        return self.reader.matrix(rows)


def compile_model(model: FraudModel) -> CompiledModel:
    """Turn a model into one for single rows: a second at most, once for each model.

    What cannot be compiled still works, only slower; see :attr:`CompiledModel.kind`.
    """
    try:
        reader = compile_rows(model.transform, model.columns)
    except NotCompilableError:
        return CompiledModel(model, "frame")
    probability, whole = compile_estimator(model.estimator, reader.width)
    return CompiledModel(model, "compiled" if whole else "estimator", reader, probability)
