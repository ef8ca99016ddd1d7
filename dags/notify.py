"""E-mails from each portfolio's outbox. See fraudops_airflow/notify.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.notify import build_notify

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("notify")] = build_notify(portfolio)
