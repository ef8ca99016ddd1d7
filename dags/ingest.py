"""One partition of each portfolio: land, validate, publish. See fraudops_airflow/ingest.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.ingest import build_ingest

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("ingest")] = build_ingest(portfolio)
