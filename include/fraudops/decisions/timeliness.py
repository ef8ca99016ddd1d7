"""Which partitions should have been scored by now and are not, and what keeps them.

Expected are the partitions that ended after the portfolio's first ledger entry: what lay there before it was set up
is history. The store and the database are asked, never Airflow's runs; the moment is an argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops.database.models import LedgerEntry, ModelVersion
from fraudops.decisions.succession import Succession
from fraudops.intake.folder import look
from fraudops.intake.masking import mask_card_numbers
from fraudops.intake.partitions import failed_validation
from fraudops.intake.watching import refused_files
from fraudops.notices.intake_messages import late_partition
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

Cause = Literal["file", "validation", "champion", "task"]
"""What keeps a partition: nothing came or it cannot be used; it was stopped; there is no model; a step was not done."""


@dataclass(frozen=True)
class Late:
    """A partition that should have been scored.

    Attributes
    ----------
    due
        By when.
    what, remedy
        What keeps it, and what to do.
    """

    key: str
    due: datetime
    cause: Cause
    what: str
    remedy: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**asdict(self), "due": self.due.isoformat()}


@dataclass(frozen=True)
class Punctuality:
    """Whether a portfolio is in time.

    Attributes
    ----------
    newest_due
        The newest partition that should have been scored by now; None where nothing is due yet.
    late
        Those that are not, in the order of time.
    """

    newest_due: str | None
    late: tuple[Late, ...]

    @property
    def sentence(self) -> str:
        """In words."""
        if self.newest_due is None:
            return "in time: nothing is due yet"
        if not self.late:
            return f"in time: {self.newest_due} is scored"
        oldest = self.late[0]
        more = f" and {len(self.late) - 1} more" if len(self.late) > 1 else ""
        return f"late: {oldest.key}{more}, due {oldest.due:%Y-%m-%d %H:%M}: {oldest.what}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"newest_due": self.newest_due, "late": [one.to_dict() for one in self.late]}


def punctuality(ws: Workspace, portfolio: Portfolio, *, now: datetime) -> Punctuality | None:
    """Whether what should have been scored by a moment is; None where the portfolio has no deadline.

    Parameters
    ----------
    now
        Aware moment.
    """
    if portfolio.timeliness is None or not portfolio.scheduled:
        return None
    with ws.transaction() as session:
        expected = list(_expected(session, portfolio, now))
        succession = Succession.read(session, portfolio)
    scored = set(ws.store.keys("scores", portfolio.name))
    late = tuple(
        _late(ws, portfolio, key, succession.model_for(key))
        for key in expected
        if key not in scored and succession.model_for(key) != "history"
    )
    return Punctuality(expected[-1] if expected else None, late)


def tell_late(ws: Workspace, portfolio: Portfolio, *, now: datetime) -> list[Late]:
    """Queue a notice for each partition that is late; one of which people were told is told once."""
    found = punctuality(ws, portfolio, now=now)
    told = []
    for one in found.late if found is not None else ():
        with ws.transaction() as session:
            if late_partition(
                session,
                ws,
                portfolio,
                key=one.key,
                due=one.due,
                cause=one.cause,
                what=one.what,
                remedy=one.remedy,
                now=now,
            ):
                told.append(one)
    return told


def _expected(session: Session, portfolio: Portfolio, now: datetime) -> Iterator[str]:
    """Keys of the partitions that are due, in the order of time."""
    timeliness, partitioning = portfolio.timeliness, portfolio.partitioning
    since = session.scalar(select(func.min(LedgerEntry.at)).where(LedgerEntry.portfolio == portfolio.name))
    if timeliness is None or since is None:
        return
    # The oldest one that may be told, and the first one that ended after the portfolio was set up.
    begin = max(since, now - timeliness.scored_within - timeliness.look_back)
    key = partitioning.key_of(begin)
    while partitioning.end(key) + timeliness.scored_within <= now:
        if portfolio.end is None or partitioning.start(key) < portfolio.end:
            yield key
        key = partitioning.key_of(partitioning.end(key))


def _late(ws: Workspace, portfolio: Portfolio, key: str, model: ModelVersion | str) -> Late:
    within = portfolio.timeliness.scored_within if portfolio.timeliness else timedelta(0)
    return Late(key, portfolio.partitioning.end(key) + within, *_cause(ws, portfolio, key, model))


def _cause(ws: Workspace, portfolio: Portfolio, key: str, model: ModelVersion | str) -> tuple[Cause, str, str]:
    """What keeps a partition, in the order in which it would go through the steps."""
    ingest, score = portfolio.dag_id("ingest"), portfolio.dag_id("score")
    if ws.store.manifest("transactions", portfolio.name, key) is not None:
        if model == "pending":
            remedy = f"train and promote a model: {portfolio.dag_id('train')}; the promotion scores what waits"
            return "champion", "there is no champion to score it with", remedy
        remedy = f"look at the newest run of {score}; {portfolio.dag_id('reconcile')} makes up for it"
        return "task", f"it was published, and {score} has not scored it: the run failed, or the DAG is paused", remedy
    staged = ws.store.staged("transactions", portfolio.name, key)
    if staged is not None and failed_validation(ws.store, portfolio.name, key, staged):
        return "validation", "validation stopped it", f"read its validation page, correct the file, run {ingest} again"
    if staged is not None:
        what = f"it was landed, and {ingest} has not published it: the run failed, or was broken off"
        return "task", what, f"look at the newest run of {ingest}, and run it again for this partition"
    return _no_rows(ws, portfolio, key, ingest)


def _no_rows(ws: Workspace, portfolio: Portfolio, key: str, ingest: str) -> tuple[Cause, str, str]:
    local = [source for source in portfolio.transactions if not source.is_database]
    lying = set(look(ws.landing / portfolio.name, [source.local_pattern.replace("{key}", key) for source in local]))
    refused = sorted(lying & set(refused_files(ws, portfolio)))
    if refused:
        what = f"{mask_card_numbers(refused[0])} could not be used as a whole"
        return "file", what, "the notice about the file says what is wrong: correct it, or ask its sender for it again"
    if lying:
        what = f"{mask_card_numbers(min(lying))} lies there, and {ingest} has not landed it"
        return "task", what, f"look at the newest run of {ingest}, and run it again for this partition"
    wanted = [(source.path or "").replace("{key}", key) if source.path else source.name for source in
              portfolio.transactions]  # fmt: skip
    what = f"nothing has come: {' or '.join(wanted)}"
    return "file", what, f"ask the sender for it; then run {ingest} for this partition, unless the watch is on"
