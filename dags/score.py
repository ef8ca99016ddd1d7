"""Features, scores, decisions, alerts of each published partition. See fraudops_airflow/score.py."""

from fraudops_airflow.catalogue import valid_portfolios
from fraudops_airflow.score import build_score

for portfolio in valid_portfolios():
    globals()[portfolio.dag_id("score")] = build_score(portfolio)
