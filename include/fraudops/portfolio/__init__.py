"""Portfolios: one commented YAML file each, read into models that refuse what they do not know.

This room is imported when Airflow parses the DAG files: nothing heavy may be imported here.
"""

from fraudops.portfolio.durations import Duration, format_duration, parse_duration
from fraudops.portfolio.loading import load_all, load_portfolio
from fraudops.portfolio.partitioning import Partitioning
from fraudops.portfolio.schema import (
    Candidate,
    Column,
    EntityFeatures,
    Labels,
    Notices,
    Policy,
    Portfolio,
    Promotion,
    Role,
    Source,
    Training,
    Validation,
)

__all__ = [
    "Candidate",
    "Column",
    "Duration",
    "EntityFeatures",
    "Labels",
    "Notices",
    "Partitioning",
    "Policy",
    "Portfolio",
    "Promotion",
    "Role",
    "Source",
    "Training",
    "Validation",
    "format_duration",
    "load_all",
    "load_portfolio",
    "parse_duration",
]
