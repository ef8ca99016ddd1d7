"""Catches up on what Airflow's events did not start. See fraudops_airflow/reconcile.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.reconcile import build_reconcile

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("reconcile")] = build_reconcile(portfolio)
