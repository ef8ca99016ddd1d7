"""Models for single rows: the same bits as :meth:`fraudops.training.model.FraudModel.score`, in microseconds.

What a model learned is turned into lookups and into calls of a library's lowest level, once for each model. No
pandas, no scikit-learn and no second thread takes part in a score.
"""

from fraudops.training.compiled.model import CompiledModel, compile_model

__all__ = ["CompiledModel", "compile_model"]
