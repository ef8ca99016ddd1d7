"""Labels: what was known to be fraud, and from when on."""

from fraudops.labels.known import matured, reports

__all__ = ["matured", "reports"]
