"""Landing of what arrives, for each portfolio that watches its folder. See fraudops_airflow/watch.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.watch import build_watch

for portfolio in valid_portfolios():
    if portfolio.watched:
        globals()[portfolio.dag_id("watch")] = build_watch(portfolio)
