"""Candidates over several test windows, each time trained on what was known then. See fraudops_airflow/evaluate.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.evaluate import build_evaluate

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("evaluate")] = build_evaluate(portfolio)
