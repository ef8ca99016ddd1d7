"""Point-in-time features: one declaration in the portfolio's YAML, one definition for every use."""

from fraudops.features.columns import ModelColumns, feature_names, model_columns
from fraudops.features.partitions import build, frame_of, model_frame, model_rows, outdated, recompute

__all__ = [
    "ModelColumns",
    "build",
    "feature_names",
    "frame_of",
    "model_columns",
    "model_frame",
    "model_rows",
    "outdated",
    "recompute",
]
