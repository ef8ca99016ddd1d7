"""A shadow against the champion: what both said about the same live partitions, once their labels are known.

The gates are those of a training run (:mod:`fraudops.registry.judging`), the rows are others: nobody chose, fitted or
calibrated anything on them, and both models' scores are the recorded ones, on which the champion's decisions were
made. Partitions that another champion scored in the meantime are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from fraudops.database import ModelVersion, Shadow, Verdict
from fraudops.evaluation.costs import ALLOW, BLOCK
from fraudops.evaluation.metrics import alert_budget
from fraudops.features import model_frame
from fraudops.labels.known import matured, reports
from fraudops.labels.selective import PASSED_BLOCK, SAMPLE, WEIGHT, label_weights
from fraudops.portfolio import Portfolio
from fraudops.registry import measures
from fraudops.registry.evidence import AgainstChampion, Compared, Evidence, Footprint, Rows
from fraudops.registry.footprint import footprint
from fraudops.registry.judging import judge
from fraudops.registry.locks import lock_champion
from fraudops.registry.measures import Scored
from fraudops.registry.shadow import DATASET, covers, end, matures_at, running
from fraudops.registry.versions import artifact_bytes, champion, load, of_candidate
from fraudops.training.thresholds import Thresholds
from fraudops.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

ACTOR = "service:shadow"


def conclude(ws: Workspace, portfolio: Portfolio) -> Verdict | None:
    """Compare the running shadow with the champion, where its labels have matured; the verdict ends the shadow.

    What is known is what has been published: the present is the end of the newest partition of transactions.

    Returns
    -------
    Verdict or None
        The verdict, of the kind ``shadow``; None where no shadow runs, its labels have not matured, or partitions
        of it are still to be scored.

    Raises
    ------
    IntegrityError
        A model's file is not the one that was registered, or a partition's data was altered.
    """
    with ws.transaction() as session:
        shadow = running(session, portfolio.name)
        in_use = champion(session, portfolio.name)
        baseline = _baseline(session, portfolio, shadow) if shadow else None
    as_of = _present(ws, portfolio)
    if shadow is None or in_use is None or as_of is None or as_of < matures_at(portfolio, shadow):
        return None
    keys = [key for key in ws.store.keys("transactions", portfolio.name) if covers(portfolio, shadow, key)]
    if not all(_both_scored(ws, portfolio, key) for key in keys):
        return None
    live = _Live.read(ws, portfolio, shadow.model, in_use, keys, as_of)
    judgement = judge(live.evidence(baseline))
    with ws.transaction() as session:
        lock_champion(session, portfolio.name)
        now, still = running(session, portfolio.name), champion(session, portfolio.name)
        if now is None or now.id != shadow.id or still is None or still.id != in_use.id:
            return None
        verdict = Verdict(
            portfolio=portfolio.name,
            run_id=run_id_of(now),
            kind="shadow",
            challenger_id=now.model_id,
            challenger=now.model,
            champion_id=still.id,
            champion=still,
            outcome=judgement.outcome,
            reason=f"In the shadow from {live.span}: {judgement.reason}",
            gates=[gate.to_dict() for gate in judgement.gates],
            report=None,
            as_of=as_of,
            created_at=datetime.now(UTC),
        )
        session.add(verdict)
        session.flush()
        _record(ws, session, verdict)
        end(ws, session, now, by=ACTOR, outcome="compared", verdict=verdict)
        return verdict


def run_id_of(shadow: Shadow) -> str:
    """Name of a shadow's comparison, in the place of a training run's id."""
    return f"shadow__{shadow.model.version}__{shadow.starts_at.astimezone(UTC):%Y-%m-%dT%H}"


# -- inside -------------------------------------------------------------------------------------------


def _present(ws: Workspace, portfolio: Portfolio) -> datetime | None:
    keys = ws.store.keys("transactions", portfolio.name)
    return portfolio.partitioning.end(keys[-1]) if keys else None


def _baseline(session: Session, portfolio: Portfolio, shadow: Shadow) -> ModelVersion | None:
    """The floor of the challenger's own training run; None where the challenger is it."""
    found = of_candidate(session, portfolio.name, shadow.model.run_id, portfolio.training.baseline)
    return None if found is None or found.id == shadow.model_id else found


def _record(ws: Workspace, session: Session, verdict: Verdict) -> None:
    ws.record(
        session,
        portfolio=verdict.portfolio,
        actor=ACTOR,
        action="verdict",
        subject=f"{verdict.portfolio}/models/{verdict.challenger.version}",
        details={
            "kind": verdict.kind,
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "run_id": verdict.run_id,
            "champion": verdict.champion.version if verdict.champion else None,
            "artifact_sha256": verdict.challenger.artifact_sha256,
            "failed_gates": [gate["name"] for gate in verdict.gates if gate["decides"] and not gate["passed"]],
        },
    )


@dataclass(frozen=True)
class _Live:
    """Rows with a known label that both have scored."""

    ws: Workspace
    portfolio: Portfolio
    challenger: ModelVersion
    in_use: ModelVersion
    span: str
    frame: pd.DataFrame
    ours: Scored
    theirs: Scored

    @classmethod
    def read(
        cls,
        ws: Workspace,
        portfolio: Portfolio,
        challenger: ModelVersion,
        in_use: ModelVersion,
        keys: list[str],
        as_of: datetime,
    ) -> _Live:
        span = f"{keys[0]} to {keys[-1]}" if keys else "no partition"
        keys = [key for key in keys if _scored_by(ws, portfolio, key) == in_use.artifact_sha256]
        frame = _labelled(ws, portfolio, keys, as_of)
        recorded = [_recorded(ws, portfolio, dataset, keys, frame) for dataset in (DATASET, "scores")]
        return cls(ws, portfolio, challenger, in_use, span, frame, *recorded)

    def evidence(self, baseline: ModelVersion | None) -> Evidence:
        training, promotion = self.portfolio.training, self.portfolio.promotion
        return Evidence(
            challenger=_name(self.challenger),
            baseline=training.baseline,
            is_baseline=baseline is None,
            split="time",
            minimum_positives=training.minimum_positives,
            margin=promotion.margin,
            test=self._rows(),
            average_precision=measures.estimate(self.frame, self.ours.score, k=self._k(), seed=training.seed),
            over_baseline=self._over(baseline) if baseline else None,
            champion=self._against(),
            gates=promotion.gates,
            calibration=measures.calibration(self.portfolio, self.frame, self.ours.score),
            footprint=self._footprint(self.challenger),
            other_footprint=self._footprint(self.in_use),
        )

    def _against(self) -> AgainstChampion:
        same = self.challenger.artifact_sha256 == self.in_use.artifact_sha256
        equal = len(self.frame) > 0 and np.array_equal(self.ours.score, self.theirs.score)
        tie = None
        if same or equal:
            how = "is the very artifact of" if same else "gives every transaction the same score as"
            tie = f"{_name(self.challenger)} {how} {_name(self.in_use)}."
        return AgainstChampion(
            name=_name(self.in_use),
            trained_until=f"{self.in_use.trained_until.astimezone(UTC):%Y-%m-%d %H:%M}",
            rows=self._rows(),
            tie=tie,
            compared=self._compared(self.theirs),
            calibration=measures.calibration(self.portfolio, self.frame, self.theirs.score),
        )

    def _over(self, baseline: ModelVersion) -> Compared | None:
        """Beside the baseline, which nobody let score these rows: it does so now."""
        model = load(self.ws, baseline)
        if self.frame.empty or any(name not in self.frame.columns for name in model.columns.all):
            return None
        scores = model.score(self.frame)
        amount = self.frame["amount_minor"].to_numpy() if self.portfolio.has_amount else None
        return self._compared(Scored(scores, Thresholds.read(baseline.thresholds).decide(scores, amount)))

    def _compared(self, other: Scored) -> Compared | None:
        if self.frame.empty:
            return None
        return measures.compared(self.portfolio, self.frame, self.ours, other, k=self._k())

    def _footprint(self, version: ModelVersion) -> Footprint | None:
        content = artifact_bytes(self.ws, version)
        return footprint(load(self.ws, version), self.frame, len(content)) if len(self.frame) else None

    def _k(self) -> int:
        hours = self.frame["partition_key"].nunique() * self.portfolio.partition_hours
        return alert_budget(self.portfolio.policy.alerts_per_day, hours / 24, len(self.frame))

    def _rows(self) -> Rows:
        if self.frame.empty:
            return Rows(None, None, 0, 0)
        keys = self.frame["partition_key"]
        return Rows(str(keys.min()), str(keys.max()), len(self.frame), int(self.frame["label"].sum()))


def _labelled(ws: Workspace, portfolio: Portfolio, keys: list[str], as_of: datetime) -> pd.DataFrame:
    """Rows whose label is known, weighed as in training: what was really blocked may never be reported."""
    frame = model_frame(ws, portfolio, keys)
    if frame.empty:
        return frame.assign(label=np.zeros(0, dtype=bool))
    known = reports(ws, portfolio, as_of=as_of, first=keys[0], last=keys[-1])
    label = matured(frame, known, delay=portfolio.labels.delay, as_of=as_of)
    weight = label_weights(ws, portfolio, frame, known, keys)
    usable = label.notna().to_numpy() & (weight > 0)
    rows = frame[usable].assign(label=label[usable].astype(bool)).reset_index(drop=True)
    return rows.assign(**{WEIGHT: weight[usable]}) if portfolio.labels.selective else rows


def _both_scored(ws: Workspace, portfolio: Portfolio, key: str) -> bool:
    """Whether champion and shadow have scored a partition, from what there is now."""
    there = [ws.store.manifest(dataset, portfolio.name, key) for dataset in ("transactions", "features")]
    inputs = {manifest.as_input() for manifest in there if manifest is not None}
    scored = [ws.store.manifest(dataset, portfolio.name, key) for dataset in ("scores", DATASET)]
    return len(inputs) == len(there) and all(found is not None and inputs <= set(found.inputs) for found in scored)


def _scored_by(ws: Workspace, portfolio: Portfolio, key: str) -> str:
    return str(ws.store.require("scores", portfolio.name, key).facts["model_sha256"])


def _recorded(ws: Workspace, portfolio: Portfolio, dataset: str, keys: list[str], frame: pd.DataFrame) -> Scored:
    """What was said about these rows at the time, in their order; what chance decided is left to the policy again."""
    import pandas as pd

    tables = [ws.store.read_partition(dataset, portfolio.name, key).to_pandas() for key in keys]
    if not tables:
        return Scored(np.zeros(0), np.zeros(0, dtype=object))
    found = pd.concat(tables).set_index("transaction_id").loc[frame["transaction_id"]]
    decision = found["decision"].to_numpy(dtype=object)
    if "route" in found:
        route = found["route"].to_numpy(dtype=object)
        decision = np.where(route == PASSED_BLOCK, BLOCK, np.where(route == SAMPLE, ALLOW, decision))
    return Scored(found["score"].to_numpy(dtype=float), decision)


def _name(model: ModelVersion) -> str:
    return f"{model.version} ({model.candidate})"
