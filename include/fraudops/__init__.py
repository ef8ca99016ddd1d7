"""fraudops: MLOps for fraud detection and financial-crime compliance.

The library. It imports no Airflow, so that a notebook, the command line, an Airflow task and the scoring
service use the very same code. See ``docs/architecture.md`` for the floors and what may import what.
"""

__version__ = "0.1.0"
