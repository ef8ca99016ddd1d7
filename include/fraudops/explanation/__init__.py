"""Why a transaction was scored as it was, in words that an investigator can check."""

from fraudops.explanation.reasons import explain

__all__ = ["explain"]
