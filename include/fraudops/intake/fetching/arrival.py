"""Landing files and what databases said, in one step."""

from __future__ import annotations

from collections import Counter

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
    plain = FeedFiles(files.transactions, files.labels, dispositions=files.dispositions)
    landed = land(ws, portfolio, plain, first=first, last=last, corrections=corrections)
    if not files.corrections:
        return landed
    said = land(ws, portfolio, FeedFiles(files.corrections), first=first, last=last, corrections=True)
    return _together(landed, said)


def _together(one: LandResult, then: LandResult) -> LandResult:
    return LandResult(
        keys=sorted({*one.keys, *then.keys}),
        changed_keys=sorted({*one.changed_keys, *then.changed_keys}),
        label_keys=sorted({*one.label_keys, *then.label_keys}),
        rows_read=one.rows_read + then.rows_read,
        rows_accepted=one.rows_accepted + then.rows_accepted,
        rows_quarantined=one.rows_quarantined + then.rows_quarantined,
        rows_elsewhere=one.rows_elsewhere + then.rows_elsewhere,
        files=[*one.files, *then.files],
        reasons=dict((Counter(one.reasons) + Counter(then.reasons)).most_common()),
        notes=[*one.notes, *then.notes],
        # Of a partition that both changed the later one says all: it compares with what is published.
        changes=list({change.key: change for change in [*one.changes, *then.changes]}.values()),
    )
