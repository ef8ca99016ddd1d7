"""The step ``monitor``: measures partitions, looks, derives the status, and tells people where it has changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database.models import Notice
from fraudops.monitoring import CHECKS, MEASURES, OUTCOMES
from fraudops.monitoring.looks import Desk, affected, checks_of, states, write_look
from fraudops.monitoring.measures import known_from, measure, settle, unsettled
from fraudops.monitoring.status import State
from fraudops.monitoring.wording import sentences
from fraudops.notices import monitoring_messages
from fraudops.notices.monitoring_messages import MONITORING
from fraudops.portfolio import Portfolio
from fraudops.registry.locks import lock_champion
from fraudops.registry.versions import champion
from fraudops.workspace import Workspace

ACTOR = "service:monitor"


@dataclass(frozen=True)
class Retraining:
    """A training run that monitoring asks for; the same week and champion ask for the same run."""

    run_id: str
    reason: str
    as_of: str


@dataclass(frozen=True)
class MonitorResult:
    """What a run did, and where the portfolio stands.

    Attributes
    ----------
    measured, settled, looked
        Partitions whose measures, outcomes, looks were written now.
    status, since, key
        After the newest partition that was looked at.
    reasons
        Sentences: what the status rests on.
    notices
        New notices in the outbox.
    retraining
        None where no training is asked for.
    notes
        What could not be done.
    """

    measured: list[str]
    settled: list[str]
    looked: list[str]
    status: str
    key: str | None
    since: str | None
    reasons: list[str]
    notices: int
    retraining: Retraining | None
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def monitor(ws: Workspace, portfolio: Portfolio, keys: Iterable[str], *, may_retrain: bool = True) -> MonitorResult:
    """Measure scored partitions, settle those whose labels are due, look, and tell of a change of status.

    Any order, any number of times, ends in the same files and the same status; a change is told once.

    Parameters
    ----------
    keys
        Partitions; those without scores are left out.
    may_retrain
        Whether a training run may be asked for: not where the past is being worked through.

    Raises
    ------
    IntegrityError
        A partition's data was altered.
    """
    desk = Desk(ws, portfolio)
    notes: list[str] = []
    published = ws.store.keys("transactions", portfolio.name)
    scored = ws.store.keys("scores", portfolio.name)
    wanted = sorted(set(keys) & set(scored))
    with ws.transaction() as session:
        changed = _measure(desk, session, wanted, notes)
        settled = _settle(desk, session, scored, wanted, published)
        looked = _look(desk, session, changed, settled, wanted)
    found = states(ws, portfolio, desk=desk)
    if not found:
        return MonitorResult(changed, settled, looked, "unknown", None, None, [], 0, None, notes)
    state = found[-1]
    reasons = sentences(checks_of(ws, portfolio, state.key), state.reasons)
    retraining, told = None, False
    with ws.transaction() as session:
        # One run at a time tells: two would both find that nothing was told yet.
        lock_champion(session, portfolio.name)
        if may_retrain and state.key == published[-1]:
            retraining = _retraining(session, portfolio, state, reasons)
        told = _tell(ws, session, portfolio, state, reasons, retraining)
    return MonitorResult(
        changed, settled, looked, state.status, state.key, state.since, reasons, int(told), retraining, notes
    )


def unmonitored(ws: Workspace, portfolio: Portfolio, *, keys: Collection[str] | None = None) -> list[str]:
    """Scored partitions (None: of all) that nobody has looked at, or whose scores or labels have changed, in the order
    of time."""
    name = portfolio.name
    looked = set(ws.store.keys(CHECKS, name))
    scored = [key for key in ws.store.keys("scores", name) if keys is None or key in keys]
    found = set(unsettled(ws, portfolio, scored))
    for key in scored:
        measures, scores = ws.store.manifest(MEASURES, name, key), ws.store.require("scores", name, key)
        if key not in looked or measures is None or scores.as_input() not in measures.inputs:
            found.add(key)
    return sorted(found)


def run_id_of(state: State) -> str:
    """Of the training run that a status asks for: one for each champion and ISO week."""
    from datetime import date

    year, week, _ = date.fromisoformat(state.key[:10]).isocalendar()
    return f"drift__{year}-W{week:02d}__{state.version}"


# -- inside -------------------------------------------------------------------------------------------


def _measure(desk: Desk, session: Session, keys: list[str], notes: list[str]) -> list[str]:
    changed, without = [], set()
    for key in keys:
        scores = desk.ws.store.require("scores", desk.portfolio.name, key)
        reference = desk.reference(session, scores.facts["model_version"])
        if reference is None:
            without.add(scores.facts["model_version"])
            continue
        manifest, written = measure(desk.ws, desk.portfolio, scores, reference)
        desk.wrote(manifest)
        changed += [key] if written else []
    notes += [f"{name} is not watched: what its training run left is not there any more" for name in sorted(without)]
    return changed


def _settle(desk: Desk, session: Session, scored: list[str], wanted: list[str], published: list[str]) -> list[str]:
    """Those whose labels are due and that were never settled, and the wanted ones anew."""
    ws, portfolio = desk.ws, desk.portfolio
    present = portfolio.partitioning.end(published[-1]) if published else None
    done = set(ws.store.keys(OUTCOMES, portfolio.name)) - set(wanted)
    changed = []
    for key in scored:
        if key in done or present is None or known_from(portfolio, key) > present:
            continue
        scores = ws.store.require("scores", portfolio.name, key)
        reference = desk.reference(session, scores.facts["model_version"])
        if reference is None:
            continue
        manifest, written = settle(ws, portfolio, scores, reference)
        desk.wrote(manifest)
        changed += [key] if written else []
    return changed


def _look(desk: Desk, session: Session, changed: list[str], settled: list[str], wanted: list[str]) -> list[str]:
    portfolio = desk.portfolio
    measured = desk.ws.store.keys(MEASURES, portfolio.name)
    outcomes = desk.ws.store.keys(OUTCOMES, portfolio.name)
    keys = sorted({*affected(portfolio, measured, changed, settled), *(set(wanted) & set(measured))})
    looked = []
    for key in keys:
        manifest = desk.manifest(MEASURES, key)
        reference = desk.reference(session, manifest.facts["model_version"]) if manifest else None
        if reference is not None and write_look(desk, key, reference, measured, outcomes):
            looked.append(key)
    return looked


def _retraining(session: Session, portfolio: Portfolio, state: State, reasons: list[str]) -> Retraining | None:
    in_use = champion(session, portfolio.name)
    if state.status != "act" or not portfolio.monitoring.retrain or in_use is None or in_use.version != state.version:
        return None
    return Retraining(run_id_of(state), f"monitoring asks for it since {state.since}: {'; '.join(reasons)}", state.key)


def _tell(
    ws: Workspace,
    session: Session,
    portfolio: Portfolio,
    state: State,
    reasons: list[str],
    retraining: Retraining | None,
) -> bool:
    """Queue a notice where the status is another one than people were told last."""
    newest = session.scalar(
        select(Notice.dedupe_key)
        .where(Notice.portfolio == portfolio.name, Notice.kind == MONITORING)
        .order_by(Notice.id.desc())
        .limit(1)
    )
    last = newest.rpartition("/")[2] if newest else "ok"
    if state.status == "unknown" or state.status == last:
        return False
    queued = monitoring_messages.status_changed(
        session,
        ws,
        portfolio,
        version=state.version,
        status=state.status,
        before=last,
        since=state.since,
        as_of=portfolio.partitioning.end(state.key),
        reasons=reasons,
        started=retraining.run_id if retraining else None,
    )
    if queued:
        ws.record(
            session,
            portfolio=portfolio.name,
            actor=ACTOR,
            action="monitoring_status",
            subject=f"{portfolio.name}/models/{state.version}",
            details={
                "status": state.status,
                "before": last,
                "since": state.since,
                "reasons": reasons,
                "training": retraining.run_id if retraining else None,
            },
        )
    return queued
