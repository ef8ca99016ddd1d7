"""From an alert back to its file, row, model, rule and e-mail; from a file on to what became of each of its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow.compute as pc
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from fraudops.database.models import Alert, LedgerEntry, Notice, PromotionRecord
from fraudops.decisions.alerts import DIGEST
from fraudops.decisions.historic import RAISED, summary_of
from fraudops.decisions.immediate.telling import raised_at_once
from fraudops.decisions.recorded import alerts_of, entry_of, rows_of
from fraudops.errors import ContractError, FraudopsError
from fraudops.intake.quarantine import Archive
from fraudops.notices import outbox
from fraudops.notices.messages import digest_key, immediate_key
from fraudops.portfolio import REFERENCE_FEEDS, Portfolio
from fraudops.registry.versions import history
from fraudops.store import Input, Manifest, Store, version_of
from fraudops.training.thresholds import Thresholds
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Step:
    """A partition that the alert rests on.

    Attributes
    ----------
    state
        ``in force``, ``replaced since``, or ``gone``.
    """

    dataset: str
    digest: str
    state: str


@dataclass(frozen=True)
class Told:
    """A notice that told of an alert, and its deliveries: when, how it ended, for how many recipients."""

    number: int
    kind: str
    message_id: str
    state: str
    deliveries: tuple[tuple[datetime, str, int], ...]


@dataclass(frozen=True)
class AlertTrace:
    """Everything that led to an alert, and whom it was told.

    Attributes
    ----------
    file, file_sha256, line
        Where the row came from; None where its lineage is gone.
    rule
        Why the score led to the decision, in words.
    champion
        How the model came to be in use.
    ledger
        Number, moment, actor, action and subject of the entries about it.
    """

    alert: Alert
    file: str | None
    file_sha256: str | None
    line: int | None
    steps: tuple[Step, ...]
    rule: str
    champion: str
    notices: tuple[Told, ...]
    ledger: tuple[tuple[int, datetime, str, str, str], ...]


def trace_alert(ws: Workspace, portfolio: Portfolio, alert: Alert) -> AlertTrace:
    """Follow an alert back; nothing is computed again, see :mod:`fraudops.decisions.replay` for that."""
    with ws.transaction() as session:
        alert = session.get_one(Alert, alert.id, options=[joinedload(Alert.model)])
        entry = entry_of(session, alert)
        notices = [_told(notice) for notice in _notices(session, alert, entry)]
        entries = _entries(session, alert, notices)
        champion = _champion(portfolio, alert, history(session, portfolio.name))
    digest = entry.details.get("scores") if entry is not None else None
    scores = version_of(ws.store, portfolio.name, Input(dataset="scores", key=alert.partition_key, digest=str(digest)))
    file, sha256, line = _origin(ws.store, portfolio, alert, scores)
    return AlertTrace(
        alert=alert,
        file=file,
        file_sha256=sha256,
        line=line,
        steps=tuple(_steps(ws.store, portfolio, alert.partition_key, digest, scores)),
        rule=_rule(alert, scores.facts["thresholds"] if scores is not None else alert.model.thresholds),
        champion=champion,
        notices=tuple(notices),
        ledger=tuple((e.number, e.at, e.actor, e.action, e.subject) for e in entries),
    )


@dataclass(frozen=True)
class PartitionRows:
    """What became of a file's rows in one partition.

    Attributes
    ----------
    stored
        Rows that are in the partition now; fewer than were accepted where a later file took their place.
    repeated
        Rows that were there already, word for word.
    """

    key: str
    rows: int
    accepted: int = 0
    stored: int = 0
    repeated: int = 0
    quarantined: int = 0
    alerts: int = 0


@dataclass(frozen=True)
class FileTrace:
    """What became of a file's rows."""

    portfolio: str
    file: str
    sha256: str
    feed: str
    rows_read: int
    nowhere: int
    """Rows of which nothing tells the partition; they are in quarantine."""
    partitions: tuple[PartitionRows, ...]
    reasons: Mapping[str, int]
    newer: bool = False
    """Whether other bytes came under its name later."""
    archive: Archive = field(repr=False, kw_only=True)


def trace_file(ws: Workspace, portfolios: Mapping[str, Portfolio], name: str) -> list[FileTrace]:
    """What became of the files of a name: its versions, in the order in which they were delivered.

    Parameters
    ----------
    name
        Path below the landing folder, the file's name alone, or the first digits of its SHA-256.

    Raises
    ------
    ContractError
        No such file was landed.
    """
    found = [
        _of_file(ws, portfolio, summary)
        for portfolio in portfolios.values()
        for summary in _summaries(ws.store, portfolio)
        if _is_called(summary, name)
    ]
    if not found:
        raise ContractError(
            f"no file {name!r} was landed",
            where=", ".join(portfolios),
            remedy="give the path below the landing folder of the portfolio, the name alone, or six digits or more of "
            "its SHA-256",
        )
    return sorted(found, key=lambda trace: (trace.portfolio, trace.file, not trace.newer, trace.sha256))


def trace_landed(ws: Workspace, portfolio: Portfolio, digits: str, *, most: int) -> FileTrace:
    """What became of one file, by the digits of its SHA-256 that name its place in quarantine.

    Parameters
    ----------
    most
        Of a file with more partitions than this, the newest.

    Raises
    ------
    ContractError
        No such file was landed.
    """
    try:
        summary = json.loads(ws.store.get("quarantine", portfolio.name, f"file={digits}", "summary.json"))
    except FileNotFoundError:
        raise ContractError(
            "no such file was landed", where=portfolio.name, remedy="'fraudops quarantine list' names those that were"
        ) from None
    return _of_file(ws, portfolio, summary, most=most)


def rows_of_file(ws: Workspace, trace: FileTrace) -> Iterator[dict[str, Any]]:
    """What became of each row: line, partition, outcome, transaction, decision, alert, reason; in no total order.

    Rows of label feeds that were accepted are not listed: their partitions merge equal reports of several files.
    """
    for part in trace.partitions:
        manifests = ws.store.versions("lineage", trace.portfolio, part.key) if part.accepted else []
        seen: set[int] = set()
        with ws.transaction() as session:
            alerts = {alert.transaction_id: alert for alert in alerts_of(session, trace.portfolio, part.key)}
        decisions = _decisions(ws.store, trace.portfolio, part.key)
        for place, manifest in enumerate(manifests):
            table = ws.store.read(manifest)
            own = table.filter(pc.equal(table["file_sha256"], trace.sha256)).to_pylist()
            for row in own:
                if row["line"] in seen:
                    continue
                seen.add(row["line"])
                alert = alerts.get(row["transaction_id"])
                yield {
                    "line": row["line"],
                    "partition": part.key,
                    "outcome": "stored" if place == 0 else "replaced",
                    "transaction": row["transaction_id"],
                    "decision": decisions.get(row["transaction_id"]) if place == 0 else None,
                    "alert": alert.id if alert else None,
                    "reason": None,
                }
    for row in trace.archive.rows().to_pylist():
        outcome = {"outcome": "quarantined", "transaction": None, "decision": None, "alert": None}
        reason = f"{row['column']}: {row['reason']}" if row["column"] else row["reason"]
        yield {"line": row["line"], "partition": row["partition_key"], **outcome, "reason": reason}


# -- an alert -------------------------------------------------------------------------------------------------


def _origin(
    store: Store, portfolio: Portfolio, alert: Alert, scores: Manifest | None
) -> tuple[str | None, str | None, int | None]:
    """File, its digest, and the line: from the lineage of the very rows that were scored."""
    key, known = alert.partition_key, {i.dataset: i for i in scores.inputs} if scores is not None else {}
    for lineage in store.versions("lineage", portfolio.name, key):
        if "transactions" in known and known["transactions"] not in lineage.inputs:
            continue
        try:
            rows = store.read(lineage)
        except FraudopsError:
            continue
        place = rows_of(rows, [alert.transaction_id]).get(alert.transaction_id)
        if place is not None:
            return (
                rows["file"][place].as_py(),
                rows["file_sha256"][place].as_py(),
                rows["line"][place].as_py(),
            )
    return None, None, None


def _steps(store: Store, portfolio: Portfolio, key: str, digest: str | None, scores: Manifest | None) -> Iterator[Step]:
    inputs = [] if scores is None else [known for known in scores.inputs if known.dataset != "models"]
    own = [Input(dataset="scores", key=key, digest=digest)] if digest is not None else []
    for known in [*sorted(inputs, key=lambda i: i.dataset, reverse=True), *own]:
        current = store.manifest(known.dataset, portfolio.name, key)
        state = "replaced since" if version_of(store, portfolio.name, known) is not None else "gone"
        if current is not None and current.data_digest == known.digest:
            state = "in force"
        yield Step(known.dataset, known.digest, state)


def _rule(alert: Alert, stored: Mapping[str, Any]) -> str:
    """The threshold that the score, or the expected loss, has passed; or that chance decided."""
    limits = Thresholds.read(stored)
    if alert.route == "sample":
        return "drawn by chance from what the policy allows"
    if alert.decision == "block" or alert.route == "passed_block":
        said = f"score {alert.score!r} is at or above the block threshold {limits.block!r}"
        return said + (", and chance passed it to review" if alert.route == "passed_block" else "")
    if limits.review_value is not None:
        return f"score {alert.score!r} times the amount is at or above {limits.review_value!r} (minor units)"
    return f"score {alert.score!r} is at or above the review threshold {limits.review!r}"


def _champion(portfolio: Portfolio, alert: Alert, records: list[PromotionRecord]) -> str:
    end = portfolio.partitioning.end(alert.partition_key)
    in_force = [record for record in records if record.effective_from <= end] or records[-1:]
    record = next((record for record in in_force if record.model_id == alert.model_id), None)
    if record is None:
        return "no promotion of it is on record for this partition"
    return (
        f"in force from {record.effective_from:%Y-%m-%d %H:%M} UTC by {record.kind}, approved by {record.approved_by}: "
        f"{record.reason} (ledger entry {record.ledger_number})"
    )


def _notices(session: Session, alert: Alert, entry: LedgerEntry | None) -> Iterator[Notice]:
    """The notices that name it: its own, the digest of those raised with it, or a summary of the past."""
    together = session.scalars(
        select(Alert.transaction_id).where(
            Alert.portfolio == alert.portfolio,
            Alert.partition_key == alert.partition_key,
            Alert.created_at == alert.created_at,
        )
    )
    names = [immediate_key(alert.transaction_id), digest_key(alert.partition_key, together)]
    names += [name for name in [_other_digest(session, alert, entry)] if name is not None]
    for key in names:
        notice = outbox.find(session, alert.portfolio, key)
        if notice is not None:
            yield notice
    summary = summary_of(session, entry) if entry is not None else None
    if summary is not None:
        yield summary


def _other_digest(session: Session, alert: Alert, entry: LedgerEntry | None) -> str | None:
    """A digest that tells of what the batch raised together with what was raised at once, and not told then."""
    if alert.transaction_id not in raised_at_once(session, alert.portfolio, alert.partition_key):
        return entry.details.get(DIGEST) if entry is not None else None
    if outbox.find(session, alert.portfolio, immediate_key(alert.transaction_id)) is not None:
        return None
    entries = session.scalars(
        select(LedgerEntry)
        .where(
            LedgerEntry.action == RAISED,
            LedgerEntry.subject == f"{alert.portfolio}/alerts/{alert.partition_key}",
            LedgerEntry.at >= alert.created_at,
        )
        .order_by(LedgerEntry.number)
    )
    return next((entry.details[DIGEST] for entry in entries if DIGEST in entry.details), None)


def _told(notice: Notice) -> Told:
    deliveries = tuple((one.started_at, one.outcome, len(one.accepted)) for one in notice.deliveries)
    return Told(notice.id, notice.kind, notice.message_id, notice.state, deliveries)


def _entries(session: Session, alert: Alert, notices: list[Told]) -> list[LedgerEntry]:
    name, key = alert.portfolio, alert.partition_key
    about = [f"{name}/{dataset}/{key}" for dataset in ("transactions", "scores", "alerts")]
    about += [f"{name}/notice/{notice.number}" for notice in notices]
    model = f"{name}/models/{alert.model.version}"
    query = select(LedgerEntry).where(or_(LedgerEntry.subject.in_(about), LedgerEntry.subject == model))
    return list(session.scalars(query.order_by(LedgerEntry.number)))


# -- a file ---------------------------------------------------------------------------------------------------


def _summaries(store: Store, portfolio: Portfolio) -> Iterator[dict[str, Any]]:
    """What is known of each landed file, whether rows of it lie in quarantine or not."""
    for path in sorted(
        (store.root / "quarantine" / f"portfolio={portfolio.name}").glob("file=*/summary.json"), key=str
    ):
        yield json.loads(path.read_bytes())


def _is_called(summary: Mapping[str, Any], name: str) -> bool:
    file, digits = str(summary["file"]), name.lower().removesuffix("…")
    if name == file or name == file.rpartition("/")[2] or name.endswith(f"/{file}"):
        return True
    return len(digits) >= 6 and str(summary["sha256"]).startswith(digits)


def _of_file(ws: Workspace, portfolio: Portfolio, summary: Mapping[str, Any], *, most: int | None = None) -> FileTrace:
    sha256 = str(summary["sha256"])
    known = sorted(summary["partitions"].items())
    parts = tuple(
        _in_partition(ws, portfolio, str(summary["feed"]), sha256, key, counts)
        for key, counts in (known if most is None else known[-most:])
    )
    return FileTrace(
        portfolio=portfolio.name,
        file=str(summary["file"]),
        sha256=sha256,
        feed=str(summary["feed"]),
        rows_read=int(summary["rows_read"]),
        nowhere=int(summary["nowhere"]),
        partitions=parts,
        reasons=summary["reasons"],
        newer=_has_newer(ws.store, portfolio, sha256),
        archive=Archive(ws.store, portfolio.name, sha256),
    )


def _in_partition(
    ws: Workspace, portfolio: Portfolio, feed: str, sha256: str, key: str, counts: Mapping[str, int]
) -> PartitionRows:
    names = ("rows", "accepted", "repeated", "quarantined")
    known = {name: int(counts.get(name, 0)) for name in names}
    lineage = ws.store.manifest("lineage", portfolio.name, key) if feed == "transactions" else None
    if feed in REFERENCE_FEEDS:
        manifest = ws.store.manifest(feed, portfolio.name, key)
        landed = manifest.facts["files"].values() if manifest is not None else ()
        is_there = any(item["sha256"] == sha256 for item in landed)
        return PartitionRows(key, **known, stored=known["accepted"] if is_there else 0)
    if lineage is None:
        return PartitionRows(key, **known, stored=known["accepted"] if feed != "transactions" else 0)
    rows = ws.store.read(lineage, ["transaction_id", "file_sha256"])
    own = set(rows.filter(pc.equal(rows["file_sha256"], sha256))["transaction_id"].to_pylist())
    with ws.transaction() as session:
        raised = sum(alert.transaction_id in own for alert in alerts_of(session, portfolio.name, key))
    return PartitionRows(key, **known, stored=len(own), alerts=raised)


def _has_newer(store: Store, portfolio: Portfolio, sha256: str) -> bool:
    for path in (store.root / "files" / f"portfolio={portfolio.name}").glob("name=*/versions.json"):
        versions = json.loads(path.read_bytes())["versions"]
        if sha256 in versions:
            return bool(versions[-1] != sha256)
    return False


def _decisions(store: Store, portfolio: str, key: str) -> dict[str, str]:
    manifest = store.manifest("scores", portfolio, key)
    if manifest is None:
        return {}
    table = store.read(manifest, ["transaction_id", "decision"])
    return dict(zip(table["transaction_id"].to_pylist(), table["decision"].to_pylist(), strict=True))
