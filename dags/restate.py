"""What would be alerted today for days of the past, on request. See fraudops_airflow/restate.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.restate import build_restate

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("restate")] = build_restate(portfolio)
