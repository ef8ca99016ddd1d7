"""Removes what is older than its retention. See fraudops_airflow/retain.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.retain import build_retain

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("retain")] = build_retain(portfolio)
