"""The Airflow layer: the only shared code that imports Airflow. Wiring only; the work is done by ``fraudops``."""
