"""What the file of a training run's curves is called and how it is laid out, for who writes it and for who reads it."""

from __future__ import annotations

FILE = "curves.json"
SCHEMA, SCHEMA_VERSION = "fraudops.curves", 1
UNSEEN = "unseen"
"""The rows of the test slice that the champion has not seen either; the others go by the name of their slice."""
