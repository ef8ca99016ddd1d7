"""XGBoost: its trees walked one row at a time by another engine, and many rows by its own C interface.

XGBoost sets up its whole model for every call, which is nothing beside a thousand rows, and most of the time of one.
What it adds up are numbers of 32 bits, in the order of the trees; the last step is the C library's own exponential.
All of it is done here likewise, and compared with XGBoost's own result before it is used.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fraudops.training.compiled.lightgbm_calls import NativeBooster
from fraudops.training.compiled.trees import as_booster
from fraudops.trees.reading import xgboost_trees

Matrix = NDArray[Any]


class XgboostTrees:
    """Log-odds and probabilities by an ``XGBClassifier``, from its trees.

    Parameters
    ----------
    estimator
        Fitted; ``gbtree`` with ``binary:logistic``.
    width
        Columns of its matrices.

    Raises
    ------
    UnlikeError
        It is of another kind.
    """

    def __init__(self, estimator: Any, width: int) -> None:
        self.trees, score = xgboost_trees(estimator)
        self._engine = NativeBooster(as_booster(self.trees, width), width, leaves=True)
        values = [tree.leaf_values for tree in self.trees]
        self._leaves = np.concatenate(values).astype(np.float32)
        self._first = np.cumsum([0, *(len(part) for part in values[:-1])]).astype(np.float64)
        self._exp, log = _c_functions()
        self._base = np.float32(-log(float(1 / score - np.float32(1))))

    def margins(self, matrix: Matrix) -> NDArray[np.float32]:
        """Log-odds of each row."""
        ends = (self._engine.predict(matrix) + self._first).astype(np.intp)
        steps = np.empty((len(matrix), len(self.trees) + 1), np.float32)
        steps[:, 0] = self._base
        steps[:, 1:] = self._leaves[ends]
        # One after the other, as XGBoost does: sum() would add pairs.
        return np.add.accumulate(steps, axis=1)[:, -1]

    def probability(self, matrix: Matrix) -> NDArray[np.float64]:
        """Probability of fraud of each row, which XGBoost computes in 32 bits."""
        small = np.array([self._exp(-margin) for margin in self.margins(matrix).tolist()], np.float32)
        return (_ONE / (small + _ONE)).astype(np.float64)


_ONE = np.float32(1)


class NativeXgboost:
    """XGBoost's own probability, by its C interface on one thread: for many rows.

    Parameters
    ----------
    estimator
        A fitted ``XGBClassifier``; it is copied, as its number of threads is set.
    """

    def __init__(self, estimator: Any) -> None:
        from xgboost import Booster
        from xgboost.core import _LIB, _check_call

        self._booster = Booster({"nthread": 1})
        self._booster.load_model(bytearray(estimator.get_booster().save_raw("ubj")))
        self._booster.set_param({"nthread": 1})
        self._call, self._check = _LIB.XGBoosterPredictFromDense, _check_call
        best = getattr(estimator, "best_iteration", None)
        self._how = json.dumps(
            {
                "type": 0,
                "training": False,
                "iteration_begin": 0,
                "iteration_end": 0 if best is None else best + 1,
                "missing": float(estimator.missing),
                "strict_shape": False,
                "cache_id": 0,
            }
        ).encode()

    def probability(self, matrix: Matrix) -> NDArray[np.float64]:
        """Probability of fraud of each row."""
        shape, dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
        found = ctypes.POINTER(ctypes.c_float)()
        self._check(
            self._call(
                self._booster.handle,
                _interface(matrix),
                self._how,
                None,
                ctypes.byref(shape),
                ctypes.byref(dimensions),
                ctypes.byref(found),
            )
        )
        # What is pointed to belongs to the booster, until its next call.
        return np.ctypeslib.as_array(found, (len(matrix),)).astype(np.float64)


def _interface(matrix: Matrix) -> bytes:
    """Where a contiguous matrix lies, in the words of NumPy's array interface."""
    kind, (rows, columns) = matrix.dtype.str, matrix.shape
    return (
        f'{{"data": [{matrix.ctypes.data}, true], "strides": null, "typestr": "{kind}", '
        f'"shape": [{rows}, {columns}], "version": 3}}'
    ).encode()


def _c_functions() -> tuple[Callable[[float], float], Callable[[float], float]]:
    """The exponential and the logarithm of 32 bits that XGBoost itself calls."""
    library = ctypes.CDLL(None)
    functions = library.expf, library.logf
    for function in functions:
        function.argtypes, function.restype = [ctypes.c_float], ctypes.c_float
    return functions
