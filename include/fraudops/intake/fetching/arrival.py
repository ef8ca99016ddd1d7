"""Landing files and what databases said, in one step."""

from __future__ import annotations

from collections import Counter

from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import LandResult, land
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace


def land_all(
    ws: Workspace, portfolio: Portfolio, files: FeedFiles, *, first: str | None = None, last: str | None = None
) -> LandResult:
    """Land files, then the rows that replace others; see :func:`fraudops.intake.landing.land`."""
    plain = FeedFiles(files.transactions, files.labels)
    if not files.corrections:
        return land(ws, portfolio, plain, first=first, last=last)
    said = land(ws, portfolio, FeedFiles(files.corrections), first=first, last=last, corrections=True)
    if not (plain.transactions or plain.labels):
        return said
    return _together(land(ws, portfolio, plain, first=first, last=last), said)


def _together(one: LandResult, other: LandResult) -> LandResult:
    return LandResult(
        keys=sorted({*one.keys, *other.keys}),
        changed_keys=sorted({*one.changed_keys, *other.changed_keys}),
        label_keys=sorted({*one.label_keys, *other.label_keys}),
        rows_read=one.rows_read + other.rows_read,
        rows_accepted=one.rows_accepted + other.rows_accepted,
        rows_quarantined=one.rows_quarantined + other.rows_quarantined,
        rows_elsewhere=one.rows_elsewhere + other.rows_elsewhere,
        files=[*one.files, *other.files],
        reasons=dict((Counter(one.reasons) + Counter(other.reasons)).most_common()),
        notes=[*one.notes, *other.notes],
    )
