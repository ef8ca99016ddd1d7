"""Lands files: rows are typed, tokenised, sorted into partitions and staged; what cannot be used is quarantined.

Every row of a file ends in exactly one place::

    rows in the file = accepted + quarantined + elsewhere (partitions that were not asked for)

Order of writing, so that a crash at any point costs nothing but time: each partition's protected and staged
rows, then the quarantine of each file, then each partition's lineage. A file counts as landed in a partition
when the lineage says so; landing it again changes nothing.

Two rows of one transaction id are seen where they fall into one partition. Across partitions nobody looks: an
id that comes back on another day, with another time, is another row.

A file that comes again under its name with other bytes is its corrected version: in every partition that it has
rows in, the rows of its earlier version give way to its own. What comes under another name adds rows, and
replaces some only where corrections are asked for. See ``docs/late-and-corrected-files.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fraudops.errors import ContractError
from fraudops.intake.asked import Asked
from fraudops.intake.feeds import Feed, report_feeds, transactions_feed
from fraudops.intake.files import FeedFiles, source_of
from fraudops.intake.locks import lock_landing
from fraudops.intake.reading import require_unchanged
from fraudops.intake.reference_feeds import reference_feeds
from fraudops.intake.reference_landing import ReferenceLanding
from fraudops.intake.results import LandResult
from fraudops.intake.row_landing import ACTOR, RowLanding
from fraudops.intake.scratch import scratch_folder
from fraudops.intake.tokens import guard_token_key
from fraudops.portfolio import Portfolio
from fraudops.store import removed_keys, tombstone
from fraudops.workspace import Workspace

_SHOWN_REASONS = 50


def land(
    ws: Workspace,
    portfolio: Portfolio,
    files: FeedFiles,
    *,
    first: str | None = None,
    last: str | None = None,
    corrections: bool = False,
) -> LandResult:
    """Land files: transactions are staged for validation, reports of fraud and reference files published.

    Parameters
    ----------
    files
        From :func:`~fraudops.intake.files.find_files`; paths given by hand are trusted.
    first, last
        Limit the transactions to these partitions, both included. Reports of fraud are not limited: each
        carries the moment from which it is known.
    corrections
        Rows of transactions replace what is stored under their ids, whatever file brought it; of several rows
        of an id the last one stays. Rows that say what is stored already are accepted and change nothing.

    Raises
    ------
    ContractError
        A file is not what the portfolio says, or the token key is not the one used before. Nothing is staged.
    FraudopsError
        A file changed while it was read; trying again helps.
    """
    asked = _asked(ws, portfolio, "transactions", first, last)
    guard_token_key(ws, portfolio)
    with scratch_folder() as folder:
        payments = RowLanding(ws, portfolio, transactions_feed(portfolio), asked, folder, corrections)
        payments.read([(path, _feed_of(ws, portfolio, path)) for path in files.transactions])
        reports = []
        for feed in report_feeds(portfolio):
            if files.of(feed.kind):
                wanted = _asked(ws, portfolio, feed.kind, None, None)
                reports.append(RowLanding(ws, portfolio, feed, wanted, folder))
                reports[-1].read([(path, feed) for path in files.of(feed.kind)])
        reference = []
        for feed in reference_feeds(portfolio):
            if files.of(feed.kind):
                wanted = _asked(ws, portfolio, feed.kind, None, None)
                reference.append(ReferenceLanding(ws, portfolio, feed, wanted, folder, ACTOR))
                reference[-1].read(files.of(feed.kind))
        with ws.transaction() as session:
            lock_landing(session, portfolio.name)
            # While this one waited, another landing may have taken a newer version of a file.
            _require_unchanged([payments, *reports, *reference])
            payments.stage_partitions()
            for landing in reports:
                landing.publish_reports(session)
            for said in reference:
                said.publish(session)
    return _result(payments, reports, reference)


def _require_unchanged(landings: Iterable[RowLanding | ReferenceLanding]) -> None:
    for landing in landings:
        for file in landing.files:
            require_unchanged(file.path, file.mark)


def _asked(ws: Workspace, portfolio: Portfolio, dataset: str, first: str | None, last: str | None) -> Asked:
    """The partitions that are wanted and that retention has not removed.

    Raises
    ------
    ContractError
        It is the only one that is wanted.
    """
    asked = Asked.between(portfolio.partitioning, first, last, removed_keys(ws.store, dataset, portfolio.name))
    stone = tombstone(ws.store, dataset, portfolio.name, first) if first is not None and first == last else None
    if stone is not None:
        raise ContractError(
            stone.sentence,
            where=portfolio.name,
            remedy="landing its file does not bring it back; restore it from a backup if it is needed again",
        )
    return asked


def _feed_of(ws: Workspace, portfolio: Portfolio, path: Path) -> Feed:
    return transactions_feed(portfolio, source_of(portfolio, path, ws.landing / portfolio.name))


def _result(payments: RowLanding, reports: list[RowLanding], reference: list[ReferenceLanding]) -> LandResult:
    beside: list[RowLanding | ReferenceLanding] = [*reports, *reference]
    everyone = [payments, *beside]
    files = [result for landing in everyone for result in landing.results]
    reasons = sum((landing.reasons for landing in beside), payments.reasons)
    return LandResult(
        keys=sorted(payments.keys),
        changed_keys=sorted(payments.changed),
        label_keys=sorted({key for landing in reports for key in landing.keys}),
        reference_keys=sorted({key for landing in reference for key in landing.keys}),
        rows_read=sum(item.rows for item in files),
        rows_accepted=sum(item.accepted for item in files),
        rows_quarantined=sum(item.quarantined for item in files),
        rows_elsewhere=sum(item.elsewhere for item in files),
        files=files,
        reasons=dict(reasons.most_common(_SHOWN_REASONS)),
        notes=[note for landing in everyone for note in landing.notes],
        changes=[change for _, change in sorted(payments.all_changes().items())],
    )
