"""Tells people of review deadlines before they are over. See fraudops_airflow/clocks.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.clocks import build_clocks

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("clocks")] = build_clocks(portfolio)
