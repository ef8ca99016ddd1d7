"""Why a transaction was scored as it was, in words that an investigator can check."""

from fraudops.explanation.reasons import Explainer, Explanation, Reason, explain

__all__ = ["Explainer", "Explanation", "Reason", "explain"]
