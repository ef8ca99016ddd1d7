"""Whether what comes in, what is scored and what turns out to be fraud is still what the champion was trained on.

Measures of each scored partition are written once and added up; statuses are derived from them in the order of time.
"""

MEASURES, OUTCOMES, CHECKS = "monitoring", "outcomes", "checks"
"""Datasets: what was counted of a partition, what became of its transactions, what a look at its end found."""

DATASETS = (CHECKS, OUTCOMES, MEASURES)
"""What was derived first."""
