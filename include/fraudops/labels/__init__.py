"""Labels: what was known to be fraud, and from when on."""

from fraudops.labels.known import known_frauds, matured, reports

__all__ = ["known_frauds", "matured", "reports"]
