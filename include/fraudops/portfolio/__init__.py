"""Portfolios: one commented YAML file each, read into models that refuse what they do not know.

This room is imported when Airflow parses the DAG files: nothing heavy may be imported here.
"""

from fraudops.portfolio.behaviour import EntityFeatures, Features
from fraudops.portfolio.cases import SEVERITIES, TRANSACTION, Cases, Severity
from fraudops.portfolio.columns import TOKENS, Column, Role, TimeParts
from fraudops.portfolio.compliance import CUSTOMERS_PROTECTED, REFERENCE_FEEDS, Compliance, ComplianceColumns
from fraudops.portfolio.durations import Duration, format_duration, parse_duration
from fraudops.portfolio.evidence import Fairness, ModelCard
from fraudops.portfolio.labels import REPORT_FEEDS, Labels
from fraudops.portfolio.loading import load_all, load_portfolio
from fraudops.portfolio.monitoring import Hysteresis, Levels, Monitoring
from fraudops.portfolio.notices import Notices
from fraudops.portfolio.partitioning import Partitioning
from fraudops.portfolio.policy import Costs, Exploration, Policy
from fraudops.portfolio.problems import PortfolioError, Problem
from fraudops.portfolio.promotion import CalibrationGate, Gates, Promotion, SegmentGate
from fraudops.portfolio.schema import Portfolio
from fraudops.portfolio.serving import ONLINE, Serving
from fraudops.portfolio.sources import Source, SourceColumn
from fraudops.portfolio.training import BLEND, Blend, Candidate, EarlyStopping, Prequential, Range, Search, Training
from fraudops.portfolio.validation import Validation

__all__ = [
    "BLEND",
    "CUSTOMERS_PROTECTED",
    "ONLINE",
    "REFERENCE_FEEDS",
    "REPORT_FEEDS",
    "SEVERITIES",
    "TOKENS",
    "TRANSACTION",
    "Blend",
    "CalibrationGate",
    "Candidate",
    "Cases",
    "Column",
    "Compliance",
    "ComplianceColumns",
    "Costs",
    "Duration",
    "EarlyStopping",
    "EntityFeatures",
    "Exploration",
    "Fairness",
    "Features",
    "Gates",
    "Hysteresis",
    "Labels",
    "Levels",
    "ModelCard",
    "Monitoring",
    "Notices",
    "Partitioning",
    "Policy",
    "Portfolio",
    "PortfolioError",
    "Prequential",
    "Problem",
    "Promotion",
    "Range",
    "Role",
    "Search",
    "SegmentGate",
    "Serving",
    "Severity",
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
