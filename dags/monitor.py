"""What comes in, what is scored, what turns out to be fraud: still as usual? See fraudops_airflow/monitor.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.monitor import build_monitor

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("monitor")] = build_monitor(portfolio)
