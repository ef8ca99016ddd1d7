"""The life that is lived, undisturbed by the twin and broken off again and again by the others.

One step is what one task of Airflow does: it is killed as a whole and tried again as a whole.
"""

from __future__ import annotations

import os
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fraudops.cases import gather, gather_waiting
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.corrections import follow_up
from fraudops.decisions.pending import partition_states
from fraudops.decisions.scoring import score, score_many
from fraudops.decisions.unfinished import unfinished_keys
from fraudops.features import build
from fraudops.intake.files import find_files
from fraudops.intake.landing import land
from fraudops.intake.publication import record_unrecorded
from fraudops.intake.simulation import World, write_day, write_history
from fraudops.intake.validation import publish, validate
from fraudops.keeping.retain import retain
from fraudops.monitoring.watch import monitor
from fraudops.notices import champion_messages, outbox
from fraudops.notices.delivery import deliver
from fraudops.portfolio import Candidate, Portfolio, load_portfolio
from fraudops.registry.candidates import train
from fraudops.registry.comparison import compare, verdict_of
from fraudops.registry.promotion import promote
from fraudops.reports.evidence import file_packs
from fraudops.reports.training import write_training_report
from fraudops.settings import Settings
from fraudops.training.dataset import assemble
from fraudops.workspace import Workspace

START = date(2026, 3, 1)
HISTORY = 30
RUN = "manual__chaos"
ACTOR = "service:chaos"
WORLD = World(seed=5, start=START, payments_per_day=400)
_LATER = datetime(2027, 8, 1, tzinfo=UTC)
"""When what is in quarantine is older than the portfolio keeps it."""
MAIL_PORT = "FRAUDOPS_CHAOS_MAIL"


@dataclass(frozen=True)
class Step:
    """One task, and what it does."""

    name: str
    run: Callable[[Workspace, Portfolio], object]


def day(number: int) -> str:
    """Key of a day of the life, counted from its start."""
    return (START + timedelta(days=number)).isoformat()


def portfolio() -> Portfolio:
    """The cards, with one small candidate."""
    cards = load_portfolio(Settings.from_environment().portfolios / "cards.yaml")
    candidates = {"logistic_regression": Candidate(estimator="logistic_regression")}
    training = cards.training.model_copy(update={"minimum_positives": 5, "candidates": candidates})
    return cards.model_copy(update={"training": training})


def past(ws: Workspace, cards: Portfolio, *, trained: bool) -> None:
    """What has happened before the life begins: weeks of transactions, landed and with features.

    Parameters
    ----------
    trained
        And a champion.
    """
    folder = ws.landing / cards.name
    write_history(folder, WORLD, START, START + timedelta(days=HISTORY - 1))
    landed = land(ws, cards, find_files(ws, cards))
    for key in sorted(landed.keys):
        publish(ws, cards, key, actor=ACTOR)
    build(ws, cards, landed.keys)
    write_day(folder, WORLD, date.fromisoformat(day(HISTORY)))
    if trained:
        for step in training():
            if step.name not in ("report", "evidence"):
                step.run(ws, cards)


def training() -> list[Step]:
    """A training run and its promotion."""
    return [
        Step("assemble", lambda ws, cards: assemble(ws, cards, run_id=RUN, as_of=_as_of(cards))),
        Step("train", lambda ws, cards: train(ws, cards, run_id=RUN, candidate="logistic_regression")),
        Step("compare", lambda ws, cards: compare(ws, cards, run_id=RUN, as_of=_as_of(cards))),
        Step("report", lambda ws, cards: write_training_report(ws, cards, run_id=RUN)),
        Step("announce", _announce),
        Step("evidence", lambda ws, cards: file_packs(ws, cards, run_id=RUN)),
        Step("promote", lambda ws, cards: promote(ws, cards, run_id=RUN, approved_by="validator", reason="better")),
        Step("score what was pending", _reconcile),
    ]


def one_day() -> list[Step]:
    """From the day's file to its e-mails."""
    key = day(HISTORY)
    return [
        Step("land", lambda ws, cards: _land(ws, cards, key)),
        Step("validate", lambda ws, cards: validate(ws, cards, key)),
        Step("publish", lambda ws, cards: publish(ws, cards, key, actor=ACTOR)),
        Step("features", lambda ws, cards: build(ws, cards, [key])),
        Step("score", lambda ws, cards: score(ws, cards, key)),
        Step("alert", lambda ws, cards: raise_alerts(ws, cards, key, actor=ACTOR)),
        Step("gather", lambda ws, cards: gather(ws, cards, key, actor=ACTOR)),
        Step("monitor", lambda ws, cards: monitor(ws, cards, [key])),
        Step("send", _send),
    ]


def correction() -> list[Step]:
    """The day's file comes again, corrected, and what follows from that; much later, retention."""
    key = day(HISTORY)
    return [
        Step("land the corrected file", lambda ws, cards: _land_corrected(ws, cards, key)),
        Step("validate the correction", lambda ws, cards: validate(ws, cards, key)),
        Step("publish the correction", lambda ws, cards: publish(ws, cards, key, actor=ACTOR)),
        Step("follow up", lambda ws, cards: follow_up(ws, cards, [key])),
        Step("reconcile", _reconcile),
        Step("send the rest", _send),
        Step("retain", lambda ws, cards: retain(ws, cards, now=_LATER, actor=ACTOR)),
    ]


def _as_of(cards: Portfolio) -> datetime:
    return cards.partitioning.end(day(HISTORY - 1))


def _announce(ws: Workspace, cards: Portfolio) -> None:
    with ws.transaction() as session:
        champion_messages.verdict(session, ws, cards, verdict_of(session, cards, RUN))


def _land(ws: Workspace, cards: Portfolio, key: str) -> None:
    land(ws, cards, find_files(ws, cards, key), first=key, last=key)


def _land_corrected(ws: Workspace, cards: Portfolio, key: str) -> None:
    """The day's file comes again under its name, a row less and a row changed."""
    folder = corrected(ws.landing)
    file = folder / cards.name / f"transactions_{key}.csv"
    if not file.exists():
        header, first, second, *others = (ws.landing / cards.name / file.name).read_text().splitlines(keepends=True)
        rows = [header, second.replace(",ecom,", ",pos,", 1), *others] if first != second else []
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(f".{os.getpid()}")
        partial.write_text("".join(rows))
        partial.replace(file)
    there = Workspace(ws.store, folder, ws.database_url, ws.token_key, ws.ledger_key)
    _land(there, cards, key)


def corrected(landing: Path) -> Path:
    """The landing folder as it looks once the corrected file has come."""
    return landing.parent / "corrected"


def _reconcile(ws: Workspace, cards: Portfolio) -> None:
    """What the workflow of that name does, its first task included: nobody remembers what a killed one has found."""
    record_unrecorded(ws, cards, actor=ACTOR)
    gather_waiting(ws, cards, actor=ACTOR)
    undone = {key for key, state in partition_states(ws, cards).items() if state in ("pending", "stale")}
    keys = sorted(undone | set(unfinished_keys(ws, cards)))
    build(ws, cards, keys)
    for result in score_many(ws, cards, keys):
        if result.state in ("scored", "unchanged"):
            raise_alerts(ws, cards, result.key, actor=ACTOR)
            gather(ws, cards, result.key, actor=ACTOR)


def _send(ws: Workspace, cards: Portfolio) -> None:
    """One e-mail task per notice, each with its claim; those of a try that was killed are taken up first."""
    failed = []
    for number in [*_claimed(ws), *outbox.waiting(ws)]:
        with smtplib.SMTP("127.0.0.1", int(os.environ[MAIL_PORT]), "localhost", timeout=10) as client:
            state = deliver(ws, client, number, holder=f"chaos/{number}")
            if state != "sent":
                failed.append(number)
    if failed:
        raise ConnectionError(f"notices {failed} are not sent")


def _claimed(ws: Workspace) -> list[int]:
    return [notice.notice_id for notice in outbox.unsent(ws) if notice.state == "sending"]
