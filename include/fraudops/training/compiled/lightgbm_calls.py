"""LightGBM's C interface, by its own ctypes library: one row in ten microseconds, and many, on one thread."""

from __future__ import annotations

import ctypes
import threading
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FLOAT32, _FLOAT64 = 0, 1
_ROW_MAJOR = 1
_NORMAL, _LEAVES = 0, 2
_ONE_THREAD = ctypes.c_char_p(b"num_threads=1")
_FEW = 4
"""Up to so many rows are given one by one: a call for many has to set up more."""


class NativeBooster:
    """A booster's prediction without its Python.

    Parameters
    ----------
    booster
        A ``lightgbm.Booster``; kept alive.
    width
        Columns of its matrices.
    rounds
        Trees that predict; all where it is -1.
    """

    def __init__(self, booster: Any, width: int, *, rounds: int = -1, leaves: bool = False) -> None:
        from lightgbm.basic import _LIB

        self._booster, self._library, self._width, self._rounds = booster, _LIB, width, rounds
        self._kind = _LEAVES if leaves else _NORMAL
        trees = booster.num_trees() if rounds < 0 else rounds
        self.outputs = trees if leaves else 1
        self._lock = threading.Lock()
        self._single = {np.dtype(kind): self._prepared(code) for kind, code in _TYPES.items()}
        self._found = ctypes.c_int64(0)
        self._at = ctypes.byref(self._found)

    def predict(self, matrix: NDArray[Any]) -> NDArray[np.float64]:
        """Its output for each row of a contiguous matrix of floats. Shape (n, outputs)."""
        found = np.empty((len(matrix), self.outputs), np.float64)
        with self._lock:
            if len(matrix) <= _FEW:
                self._one_by_one(matrix, found)
            else:
                self._all(matrix, found)
        return found

    def _one_by_one(self, matrix: NDArray[Any], found: NDArray[np.float64]) -> None:
        call, prepared = self._library.LGBM_BoosterPredictForMatSingleRowFast, self._single[matrix.dtype]
        row, result = matrix.ctypes.data, found.ctypes.data
        for _ in range(len(matrix)):
            self._check(call(prepared, ctypes.c_void_p(row), self._at, ctypes.c_void_p(result)))
            row, result = row + matrix.strides[0], result + found.strides[0]

    def _all(self, matrix: NDArray[Any], found: NDArray[np.float64]) -> None:
        self._check(
            self._library.LGBM_BoosterPredictForMat(
                self._booster._handle,
                ctypes.c_void_p(matrix.ctypes.data),
                ctypes.c_int(_TYPES[matrix.dtype.type]),
                ctypes.c_int32(len(matrix)),
                ctypes.c_int32(self._width),
                ctypes.c_int(_ROW_MAJOR),
                ctypes.c_int(self._kind),
                ctypes.c_int(0),
                ctypes.c_int(self._rounds),
                _ONE_THREAD,
                self._at,
                ctypes.c_void_p(found.ctypes.data),
            )
        )

    def _prepared(self, type_of_values: int) -> ctypes.c_void_p:
        """What the calls for single rows need; freed with this object."""
        prepared = ctypes.c_void_p()
        self._check(
            self._library.LGBM_BoosterPredictForMatSingleRowFastInit(
                self._booster._handle,
                ctypes.c_int(self._kind),
                ctypes.c_int(0),
                ctypes.c_int(self._rounds),
                ctypes.c_int(type_of_values),
                ctypes.c_int32(self._width),
                _ONE_THREAD,
                ctypes.byref(prepared),
            )
        )
        weakref.finalize(self, self._library.LGBM_FastConfigFree, prepared).atexit = False
        return prepared

    def _check(self, code: int) -> None:
        if code:
            from lightgbm.basic import _safe_call

            _safe_call(code)


_TYPES: dict[type, int] = {np.float32: _FLOAT32, np.float64: _FLOAT64}
