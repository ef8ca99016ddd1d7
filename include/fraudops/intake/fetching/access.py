"""What it takes to get at a source: whoever runs the fetching knows it, the portfolio's YAML never does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL

from fraudops.portfolio import Source


@dataclass(frozen=True)
class Access:
    """How to log in. Shown nowhere, because it holds secrets."""

    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """For files: arguments of the fsspec file system, such as ``key``, ``secret``, ``endpoint_url`` of S3."""
    url: URL | str | None = field(default=None, repr=False)
    """For a database: its SQLAlchemy URL (PostgreSQL)."""


Accesses = Callable[[Source], Access]
"""Finds the access of a source."""


def nothing_needed(source: Source) -> Access:
    """The access of a source that needs none."""
    return Access()
