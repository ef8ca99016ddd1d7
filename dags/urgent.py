"""Immediate notices of what was decided at once, for each portfolio that does so. See fraudops_airflow/urgent.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.urgent import build_urgent

for portfolio in valid_portfolios():
    if portfolio.serving.enabled:
        globals()[portfolio.dag_id("urgent")] = build_urgent(portfolio)
