"""An approver returns to a former champion. See fraudops_airflow/rollback.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.rollback import build_rollback

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("rollback")] = build_rollback(portfolio)
