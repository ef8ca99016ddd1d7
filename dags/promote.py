"""Approval by a named person, promotion, scoring of what waited. See fraudops_airflow/promote.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.promote import build_promote

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("promote")] = build_promote(portfolio)
