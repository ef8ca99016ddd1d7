"""Landing files and what databases said, in one step."""

from __future__ import annotations

from dataclasses import replace

from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.intake.results import LandResult
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace


def land_all(
    ws: Workspace,
    portfolio: Portfolio,
    files: FeedFiles,
    *,
    first: str | None = None,
    last: str | None = None,
    corrections: bool = False,
) -> LandResult:
    """Land files, then what databases said, which always replaces; see :func:`fraudops.intake.landing.land`."""
    plain = replace(files, corrections=[])
    landed = land(ws, portfolio, plain, first=first, last=last, corrections=corrections)
    if not files.corrections:
        return landed
    return landed.and_then(land(ws, portfolio, FeedFiles(files.corrections), first=first, last=last, corrections=True))
