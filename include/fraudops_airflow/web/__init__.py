"""Read-only pages inside the Airflow UI: what came in, which model decides, what it raised, who was told.

Built by the plugin in the api-server alone, and only when that asks for it; nothing here writes.
"""
