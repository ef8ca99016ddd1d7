"""What a run left, found by its id, its partition and what its tasks answered: a line and a page for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from fraudops.database import Alert, Notice, PromotionRecord, Verdict
from fraudops.portfolio import Portfolio
from sqlalchemy import func, select

from fraudops_airflow.web.access import CONTROLLERS, WORKERS
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.drift.validation import validation
from fraudops_airflow.web.models.training import training_run
from fraudops_airflow.web.rendering import segment
from fraudops_airflow.web.runs.actions import WORKFLOWS
from fraudops_airflow.web.runs.airflow import Run
from fraudops_airflow.web.runs.plan import counted


@dataclass(frozen=True)
class Left:
    """Something that a run left.

    Attributes
    ----------
    label
        What it is; the buttons of tasks go by it.
    path
        Its page below the application; None: there is none.
    roles
        Who may open the page; empty: everybody.
    tasks
        Tasks that left it.
    """

    label: str
    text: str
    path: str | None = None
    tone: str = ""
    roles: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


def whose(archive: Archive, dag_id: str) -> tuple[Portfolio, str] | None:
    """The portfolio and the workflow that a DAG belongs to; None: it is not one of ours."""
    return next(
        (
            (portfolio, workflow)
            for portfolio in archive.portfolios.values()
            for workflow in WORKFLOWS
            if portfolio.dag_id(workflow) == dag_id
        ),
        None,
    )


def left(archive: Archive, portfolio: Portfolio, workflow: str, run: Run) -> list[Left]:
    """What a run left so far, in the order of its tasks."""
    finder = _FINDERS.get(workflow)
    return list(finder(archive, portfolio, run)) if finder else []


# -- by partition -------------------------------------------------------------------------------------------------


def key_of(portfolio: Portfolio, run: Run) -> str | None:
    """The partition of a run; None: it has none, or something that is no key."""
    key = run.partition_key or run.conf.get("partition")
    try:
        portfolio.partitioning.start(str(key))
    except ValueError:
        return None
    return str(key)


def _ingest(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    yield from _rows(run)
    key = key_of(portfolio, run)
    if key is None:
        return
    found = validation(archive, portfolio, key)
    if found.passed is not None:
        yield Left(
            "Validation",
            f"{key} passed {counted(found.checks or 0, 'check')}" if found.passed else f"{key} failed, and is stopped",
            f"validation/{portfolio.name}/{key}" if found.has_page else None,
            tone="good" if found.passed else "bad",
            tasks=("validate.check_and_publish",),
        )
    published = archive.store.manifest("transactions", portfolio.name, key)
    if published is not None:
        yield Left(
            "Published", f"{counted(published.rows, 'transaction')} of {key}", tasks=("validate.check_and_publish",)
        )
    yield from _scores(archive, portfolio, key)


def _land(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    yield from _rows(run)
    keys = run.answer("land").get("keys")
    if isinstance(keys, list) and keys:
        yield Left(
            "Validation",
            f"{counted(len(keys), 'partition')}, {keys[0]} to {keys[-1]}",
            "validation",
            tasks=("validate.check_and_publish", "validate.every_partition_passed"),
        )


def _score(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    key = key_of(portfolio, run)
    if key is not None:
        yield from _scores(archive, portfolio, key)
        yield from _notices(archive, portfolio, key)


def _rows(run: Run) -> Iterator[Left]:
    landed = run.answer("land")
    rejected = landed.get("rows_quarantined")
    if isinstance(rejected, int):
        read, accepted = (_number(landed, name) for name in ("rows_read", "rows_accepted"))
        yield Left("Rows", f"{counted(read, 'row')} read, {accepted:,} accepted", tasks=("land",))
        yield Left(
            "Quarantine",
            f"{counted(rejected, 'row')} could not be used" if rejected else "every row could be used",
            "quarantine",
            tone="wait" if rejected else "good",
            tasks=("land",),
        )


def _scores(archive: Archive, portfolio: Portfolio, key: str) -> Iterator[Left]:
    scores = archive.store.manifest("scores", portfolio.name, key)
    if scores is None:
        return
    with archive.reading() as session:
        raised: dict[str, int] = dict(
            session.execute(
                select(Alert.decision, func.count())
                .where(Alert.portfolio == portfolio.name, Alert.partition_key == key)
                .group_by(Alert.decision)
            )
            .tuples()
            .all()
        )
    yield Left("Scores", f"{counted(scores.rows, 'transaction')} of {key}", tasks=("score",))
    yield Left(
        "Alerts",
        f"{raised.get('review', 0):,} to review, {raised.get('block', 0):,} blocked",
        f"alerts?portfolio={portfolio.name}&first={key}&last={key}",
        roles=WORKERS,
        tasks=("score",),
    )


def _notices(archive: Archive, portfolio: Portfolio, key: str) -> Iterator[Left]:
    at = portfolio.partitioning.end(key)
    query = select(func.count()).where(Notice.portfolio == portfolio.name, Notice.as_of == at, Notice.kind == "digest")
    with archive.reading() as session:
        number = session.scalar(query) or 0
    if number:
        yield Left("Notices", counted(number, "digest") + " to compliance", tasks=("score",))


def _monitor(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    key = key_of(portfolio, run)
    if key is not None and archive.store.manifest("checks", portfolio.name, key) is not None:
        yield Left("Monitoring", f"{key} was looked at", f"monitoring/{portfolio.name}", tasks=("monitor",))


def _comply(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    key = key_of(portfolio, run)
    found = archive.store.manifest("rule_hits", portfolio.name, key) if key else None
    if found is not None:
        yield Left("Hits", f"{counted(found.rows, 'hit')} as of {key}", "compliance", tasks=("comply",))


# -- by run --------------------------------------------------------------------------------------------------------


def _train(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    yield from _training(archive, portfolio, run.run_id)


def _training(archive: Archive, portfolio: Portfolio, run_id: str) -> Iterator[Left]:
    with archive.reading() as session:
        found = training_run(archive, session, portfolio, run_id)
    report = f"reports/{portfolio.name}/{segment(run_id)}" if archive.has("reports", portfolio.name, run_id) else None
    if report:
        yield Left(
            "Training report",
            f"{counted(len(found.versions), 'version')}: curves, gates, data",
            report,
            tasks=("train_candidates.train", "compare.report", "compare.announce"),
        )
    if found.verdict is not None:
        told = found.verdict
        yield Left(
            "Comparison",
            f"{told.outcome}: {told.reason}",
            report,
            tone={"PROMOTE": "good", "REJECT": "bad"}.get(told.outcome, "wait"),
            tasks=("compare.verdict", "is_promote"),
        )
        yield Left(
            "Evidence",
            f"of {told.challenger} ({told.candidate})",
            f"evidence/{portfolio.name}/{told.challenger}",
            tasks=("compare.evidence",),
        )


def _promote(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    asked = str(run.conf.get("run_id", ""))
    with archive.reading() as session:
        record = session.scalar(
            select(PromotionRecord)
            .join(Verdict, Verdict.id == PromotionRecord.verdict_id)
            .where(Verdict.portfolio == portfolio.name, Verdict.run_id == asked)
        )
        by = record.approved_by if record else None
    for one in _training(archive, portfolio, asked):
        yield Left(one.label, one.text, one.path, one.tone, tasks=("approval.ask", "promote"))
    if by is not None:
        yield Left("Promotion", f"approved by {by}", "models", tone="good", tasks=("promote",))


def _rollback(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    version = run.answer("rollback").get("version")
    if version:
        path = f"evidence/{portfolio.name}/{segment(version)}"
        yield Left("Evidence", f"{version} is champion again", path, tasks=("rollback", "file_evidence"))


def _evaluate(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    path = PurePosixPath(str(run.returned.get("report", "")))
    if archive.has("reports", portfolio.name, path.parent.name):
        page = f"reports/{portfolio.name}/{segment(path.parent.name)}"
        yield Left("Training report", "test windows, one by one", page, tasks=("report",))


def _restate(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    found = run.answer("restate")
    name = str(found.get("run", ""))
    if name and archive.has("restated", portfolio.name, name):
        numbers = ", ".join(f"{int(found.get(what, 0)):,} {what}" for what in ("new", "gone", "changed"))
        path = f"restated/{portfolio.name}/{segment(name)}"
        yield Left("Restatement", f"alerts: {numbers}", path, tasks=("restate", "record"))


# -- of the record -------------------------------------------------------------------------------------------------


def _report(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    found = run.answer("make")
    if found:
        text = f"{found.get('folder', '')}: {found.get('state', '')}"
        yield Left("Monthly pack", text, f"packs?portfolio={portfolio.name}", tasks=("make",))


def _verify(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    found = run.answer("verify")
    if found:
        looked = f"{_number(found, 'entries'):,} ledger entries, {_number(found, 'partitions'):,} partitions"
        findings = found.get("findings") or []
        text = f"{looked}: {counted(len(findings), 'finding')}" if findings else f"unaltered: {looked}"
        yield Left("Verification", text, "ledger", "bad" if findings else "good", CONTROLLERS, ("verify",))


def _reconcile(archive: Archive, portfolio: Portfolio, run: Run) -> Iterator[Left]:
    chunks = run.returned.get("find_undone")
    if isinstance(chunks, list):
        keys = [key for chunk in chunks for key in chunk]
        text = (
            f"{counted(len(keys), 'partition')} scored again: {', '.join(keys[:5])}" if keys else "nothing was undone"
        )
        yield Left("Undone", text, tasks=("find_undone", "score"))


def _number(found: dict[str, Any], name: str) -> int:
    value = found.get(name)
    return value if isinstance(value, int) else 0


_FINDERS: dict[str, Callable[[Archive, Portfolio, Run], Iterator[Left]]] = {
    "ingest": _ingest,
    "land": _land,
    "score": _score,
    "monitor": _monitor,
    "comply": _comply,
    "train": _train,
    "promote": _promote,
    "rollback": _rollback,
    "evaluate": _evaluate,
    "restate": _restate,
    "report": _report,
    "verify": _verify,
    "reconcile": _reconcile,
}
