"""The only shared code that imports Airflow: DAG builders, operators, and what turns a context into arguments.

A builder holds wiring. What a task does is a call of the library, imported inside the task, so that parsing a
DAG file loads neither pandas nor scikit-learn.
"""
