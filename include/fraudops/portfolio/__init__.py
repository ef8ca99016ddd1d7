"""Portfolios: one commented YAML file each, read into models that refuse what they do not know.

This room is imported when Airflow parses the DAG files: nothing heavy may be imported here.
"""

from fraudops.portfolio.columns import Column, Role, TimeParts
from fraudops.portfolio.durations import Duration, format_duration, parse_duration
from fraudops.portfolio.loading import load_all, load_portfolio
from fraudops.portfolio.partitioning import Partitioning
from fraudops.portfolio.policy import Costs, Exploration, Policy
from fraudops.portfolio.problems import PortfolioError, Problem
from fraudops.portfolio.schema import (
    Candidate,
    EntityFeatures,
    Labels,
    Notices,
    Portfolio,
    Promotion,
    Training,
    Validation,
)
from fraudops.portfolio.sources import Source, SourceColumn

__all__ = [
    "Candidate",
    "Column",
    "Costs",
    "Duration",
    "EntityFeatures",
    "Exploration",
    "Labels",
    "Notices",
    "Partitioning",
    "Policy",
    "Portfolio",
    "PortfolioError",
    "Problem",
    "Promotion",
    "Role",
    "Source",
    "SourceColumn",
    "TimeParts",
    "Training",
    "Validation",
    "format_duration",
    "load_all",
    "load_portfolio",
    "parse_duration",
]
