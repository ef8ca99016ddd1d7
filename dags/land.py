"""Bulk load of each portfolio's landing folder. See fraudops_airflow/land.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.land import build_land

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("land")] = build_land(portfolio)
