"""How long a backfill of many daily partitions takes, with Airflow and all DAGs."""
