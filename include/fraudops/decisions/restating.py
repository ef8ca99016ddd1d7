"""What would be decided today about days of the past, beside what was decided then.

Features are computed anew from the rows and labels that the store has now, each at its own moment as ever; a model of
today scores them, with its thresholds. Nothing of the record is touched: no score, no alert, no notice about one.

::

    restated/portfolio=<P>/<run>/scores_<KEY>.parquet   what would be decided
                                 diff.parquet           transactions whose alert would be another
                                 summary.json           counts by day, and what was asked
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from fraudops import __version__
from fraudops.database.models import Alert, LedgerEntry, ModelVersion
from fraudops.decisions.scoring import config_of, score_frame
from fraudops.errors import ContractError
from fraudops.features import frame_of, model_rows, recompute
from fraudops.features.partitions import config_of as features_config
from fraudops.labels import matured
from fraudops.labels.known import reports
from fraudops.notices.summaries import Restated, restatement
from fraudops.portfolio import REPORT_FEEDS, Portfolio
from fraudops.registry import versions
from fraudops.store import canonical_json, sha256_of
from fraudops.workspace import Workspace

AREA = "restated"
CHAMPION = "champion"
NEW, GONE, CHANGED = "new", "gone", "changed"
_FLAGGED = ("review", "block")
_DIFF = pa.schema(
    [
        ("partition_key", pa.string()),
        ("transaction_id", pa.string()),
        ("event_time", pa.timestamp("us", tz="UTC")),
        ("amount_minor", pa.int64()),
        ("change", pa.string()),
        ("decision_then", pa.string()),
        ("decision_now", pa.string()),
        ("score_then", pa.float64()),
        ("score_now", pa.float64()),
        ("model_then", pa.string()),
        ("label", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class DayDifference:
    """One partition: alerts of then and of now.

    Attributes
    ----------
    decided
        Whether anything was decided then; a partition that waits for a champion, or is history, has no score.
    learned
        Whether the model has learned from it: what it finds there flatters it.
    """

    key: str
    rows: int
    decided: bool
    learned: bool
    then: int
    now: int
    new: int
    gone: int
    changed: int
    new_minor: int
    gone_minor: int

    @property
    def same(self) -> int:
        """Alerts with the same decision."""
        return self.now - self.new - self.changed


@dataclass(frozen=True)
class Restatement:
    """What was written under ``restated``."""

    run: str
    version: str
    reason: str
    days: tuple[DayDifference, ...]

    @classmethod
    def read(cls, ws: Workspace, portfolio: Portfolio, run: str) -> Restatement:
        """As it was written; raises as :func:`read_restatement` does."""
        summary, _ = read_restatement(ws, portfolio, run)
        days = tuple(DayDifference(**day) for day in summary["days"])
        return cls(run, summary["version"], summary["reason"], days)

    def total(self, name: str) -> int:
        """Sum over the days."""
        return sum(getattr(day, name) for day in self.days)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"run": self.run, "version": self.version, "reason": self.reason, **self.counts}

    @property
    def counts(self) -> dict[str, int]:
        """Over all days."""
        names = ("rows", "then", "now", NEW, GONE, CHANGED, "same")
        return {"partitions": len(self.days), **{name: self.total(name) for name in names}}


def restate(
    ws: Workspace, portfolio: Portfolio, *, first: str, last: str, model: str = CHAMPION, reason: str
) -> Restatement:
    """Score days of the past anew, a few at a time, and write how the alerts would differ.

    The same store, model and configuration give the same run and the same bytes.

    Parameters
    ----------
    first, last
        Partitions, both included.
    model
        ``champion``: the one of now; or a version such as ``v3``.

    Raises
    ------
    ContractError
        No partition lies there, there is no such model, or the portfolio lacks a column that it reads.
    IntegrityError
        The model's file, or a partition's, is not the one that was written.
    """
    keys = _keys(ws, portfolio, first, last)
    version = _version(ws, portfolio, model)
    run = _run(ws, portfolio, keys, version)
    days, differing = [], []
    for key, features in recompute(ws, portfolio, keys):
        transactions = ws.store.read_partition("transactions", portfolio.name, key)
        frame = frame_of(portfolio, [model_rows(portfolio, key, transactions, features)])
        scores = score_frame(ws, portfolio, key, frame, version)
        ws.store.put(_parquet(scores), AREA, portfolio.name, run, f"scores_{key}.parquet")
        day, diff = _compare(ws, portfolio, key, frame, scores, version)
        days.append(day)
        differing.append(diff)
    diff = _with_labels(ws, portfolio, pd.concat(differing, ignore_index=True), keys)
    table = pa.Table.from_pandas(diff, _DIFF, preserve_index=False)
    ws.store.put(_parquet(table), AREA, portfolio.name, run, "diff.parquet")
    found = Restatement(run, version.version, reason, tuple(days))
    summary = {**found.to_dict(), "candidate": version.candidate, "days": [asdict(day) for day in days]}
    ws.store.put(canonical_json(summary) + b"\n", AREA, portfolio.name, run, "summary.json")
    return found


def read_restatement(ws: Workspace, portfolio: Portfolio, run: str) -> tuple[dict[str, Any], pa.Table]:
    """The summary and the differing transactions of a run.

    Raises
    ------
    ContractError
        There is no such run.
    """
    try:
        summary = json.loads(ws.store.get(AREA, portfolio.name, run, "summary.json"))
        return summary, pq.read_table(io.BytesIO(ws.store.get(AREA, portfolio.name, run, "diff.parquet")))
    except FileNotFoundError:
        raise ContractError(f"there is no restatement {run!r}", where=portfolio.name) from None


def conclude(ws: Workspace, portfolio: Portfolio, found: Restatement, *, actor: str) -> bool:
    """Enter a restatement into the ledger and queue its one notice; False where that was done before."""
    subject = f"{portfolio.name}/{AREA}/{found.run}"
    with ws.transaction() as session:
        if session.scalar(select(LedgerEntry.number).where(LedgerEntry.subject == subject).limit(1)) is not None:
            return False
        details = {"model_version": found.version, "reason": found.reason, **found.counts}
        entry = ws.record(
            session, portfolio=portfolio.name, actor=actor, action="restated", subject=subject, details=details
        )
        keys = [day.key for day in found.days]
        return restatement(
            session,
            ws,
            portfolio,
            Restated(
                run=found.run,
                keys=keys,
                version=found.version,
                reason=found.reason,
                asked_by=actor,
                new=found.total(NEW),
                gone=found.total(GONE),
                changed=found.total(CHANGED),
                same=found.total("same"),
                as_of=portfolio.partitioning.end(keys[-1]),
                ledger_number=entry.number,
            ),
        )


# -- inside ---------------------------------------------------------------------------------------------------


def _keys(ws: Workspace, portfolio: Portfolio, first: str, last: str) -> list[str]:
    for name, key in (("first", first), ("last", last)):
        try:
            portfolio.partitioning.start(key)
        except ValueError as error:
            raise ContractError(str(error), where=name) from None
    found = [key for key in ws.store.keys("transactions", portfolio.name) if first <= key <= last]
    if not found:
        raise ContractError(
            "no published partition lies in the range",
            where=f"{portfolio.name} {first} to {last}",
            remedy="choose days that were ingested; 'first' must not be after 'last'",
        )
    return found


def _version(ws: Workspace, portfolio: Portfolio, name: str) -> ModelVersion:
    with ws.transaction() as session:
        if name != CHAMPION:
            return versions.version(session, portfolio.name, name)
        found = versions.champion(session, portfolio.name)
    if found is None:
        raise ContractError("there is no champion", where=portfolio.name, remedy="name a version, such as v1")
    return found


def _run(ws: Workspace, portfolio: Portfolio, keys: Sequence[str], version: ModelVersion) -> str:
    """Name of a run: the same for the same model, configuration, code and stored data, and the same record."""
    digests = [
        f"{dataset}/{key}/{manifest.data_digest}"
        for dataset in ("transactions", *REPORT_FEEDS, "scores")
        for key in ws.store.keys(dataset, portfolio.name)
        if key <= keys[-1] and (manifest := ws.store.manifest(dataset, portfolio.name, key)) is not None
    ]
    with ws.transaction() as session:
        alerts = sorted(session.scalars(_alerts(portfolio, keys).with_only_columns(Alert.id)))
    known = [version.artifact_sha256, features_config(portfolio), config_of(portfolio), __version__, *digests]
    digest = sha256_of("\n".join([*known, *map(str, alerts)]).encode())
    return f"{keys[0]}_{keys[-1]}_{version.version}_{digest[:8]}"


def _alerts(portfolio: Portfolio, keys: Sequence[str]) -> Any:
    return select(Alert).where(Alert.portfolio == portfolio.name, Alert.partition_key.in_(list(keys)))


def _compare(
    ws: Workspace, portfolio: Portfolio, key: str, frame: pd.DataFrame, scores: pa.Table, version: ModelVersion
) -> tuple[DayDifference, pd.DataFrame]:
    """Count and list how a partition's alerts differ."""
    now = scores.select(["transaction_id", "score", "decision"]).to_pandas()
    rows = frame[["transaction_id", "event_time"]].assign(partition_key=key, amount_minor=frame["amount_minor"])
    then, decided = _then(ws, portfolio, key)
    rows = rows.merge(now, on="transaction_id").merge(then, on="transaction_id", how="left", suffixes=("_now", "_then"))
    was, would = rows["decision_then"].isin(_FLAGGED), rows["decision_now"].isin(_FLAGGED)
    other = was & would & (rows["decision_then"] != rows["decision_now"])
    rows["change"] = None
    for name, which in ((NEW, would & ~was), (GONE, was & ~would), (CHANGED, other)):
        rows.loc[which, "change"] = name
    amounts = rows["amount_minor"]
    day = DayDifference(
        key=key,
        rows=len(rows),
        decided=decided,
        learned=portfolio.partitioning.start(key) < version.trained_until,
        then=int(was.sum()),
        now=int(would.sum()),
        new=int((rows["change"] == NEW).sum()),
        gone=int((rows["change"] == GONE).sum()),
        changed=int(other.sum()),
        new_minor=int(amounts[rows["change"] == NEW].sum()),
        gone_minor=int(amounts[rows["change"] == GONE].sum()),
    )
    return day, rows[rows["change"].notna()]


def _then(ws: Workspace, portfolio: Portfolio, key: str) -> tuple[pd.DataFrame, bool]:
    """What was decided: by the alert, which stays as it was raised; else by the scores in force."""
    manifest = ws.store.manifest("scores", portfolio.name, key)
    names = ["transaction_id", "score", "decision"]
    if manifest is None:
        return pd.DataFrame({name: pd.Series(dtype="object") for name in names} | {"model_then": []}), False
    found = ws.store.read(manifest, names).select(names).to_pandas().set_index("transaction_id")
    found["model_then"] = manifest.facts["model_version"]
    with ws.transaction() as session:
        for alert in session.scalars(_alerts(portfolio, [key])):
            found.loc[alert.transaction_id, ["score", "decision", "model_then"]] = (
                alert.score, alert.decision, alert.model.version,
            )  # fmt: skip
    return found.reset_index(), True


def _with_labels(ws: Workspace, portfolio: Portfolio, diff: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """With what is known today: at the end of the newest partition."""
    as_of = portfolio.partitioning.end(ws.store.keys("transactions", portfolio.name)[-1])
    known = reports(ws, portfolio, as_of=as_of, first=keys[0], last=keys[-1])
    return diff.assign(label=matured(diff, known, delay=portfolio.labels.delay, as_of=as_of))


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(None), sink, compression="zstd")
    return sink.getvalue()
