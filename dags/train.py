"""Candidates, comparison with the champion, verdict. See fraudops_airflow/train.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.train import build_train

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("train")] = build_train(portfolio)
