"""The monthly pack. See fraudops_airflow/report.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.report import build_report

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("report")] = build_report(portfolio)
