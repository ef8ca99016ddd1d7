"""The local stack: PostgreSQL, a mail sink and Airflow as plain processes, for ``make up`` and the tests."""
