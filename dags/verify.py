"""Checks that what is kept is still what was written. See fraudops_airflow/verify.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.verify import build_verify

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("verify")] = build_verify(portfolio)
