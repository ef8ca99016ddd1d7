"""The rules of law and policy, over each partition. See fraudops_airflow/comply.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.comply import build_comply

for portfolio in valid_portfolios():
    if portfolio.compliance is not None:
        globals()[portfolio.dag_id("comply")] = build_comply(portfolio)
