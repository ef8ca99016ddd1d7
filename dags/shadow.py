"""A person starts or stops a challenger beside the champion. See fraudops_airflow/shadow.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.shadow import build_shadow

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("shadow")] = build_shadow(portfolio)
