"""From rows with their features to scores, decisions and reasons, by the champion and its thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudops.decisions.exploration import REASONS, explore
from fraudops.decisions.immediate.records import Champion, ReasonGiven
from fraudops.decisions.scoring import require_columns
from fraudops.errors import ContractError
from fraudops.evaluation.costs import ALLOW
from fraudops.features import feature_names
from fraudops.online import Transaction
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

BY_CHANCE = "chance"
"""Begins the codes of what chance raised: ``chance.sample``, ``chance.passed_block``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a model and the policy say of one transaction.

    Attributes
    ----------
    explanation
        As JSON-able values; None where it is allowed.
    """

    score: float
    decision: str
    route: str
    propensity: float
    reasons: tuple[ReasonGiven, ...] = ()
    explanation: Mapping[str, Any] | None = None


class Judge:
    """Judges transactions of one portfolio.

    Parameters
    ----------
    ws
        Its key draws what chance decides.
    """

    def __init__(self, ws: Workspace, portfolio: Portfolio) -> None:
        self._key, self._portfolio = ws.token_key, portfolio
        self._names = tuple(feature_names(portfolio))
        stored = {portfolio.stored_name(name) for name in portfolio.columns}
        self._available = stored | set(self._names)
        self._checked = ""

    def judge(
        self, champion: Champion, transactions: Sequence[Transaction], features: Sequence[Sequence[float]]
    ) -> list[Verdict]:
        """Score and decide; the same champion, rows and features give the same to the last bit.

        Parameters
        ----------
        features
            In the order of :func:`fraudops.features.feature_names`, one sequence for each transaction.

        Raises
        ------
        ContractError
            The portfolio lacks a column that the model reads, or the model gave something that is no probability.
        """
        if not transactions:
            return []
        if self._checked != champion.sha256:
            require_columns(champion.model, self._available, self._portfolio, champion.version)
            self._checked = champion.sha256
        rows = [self._row(one, seen) for one, seen in zip(transactions, features, strict=True)]
        scores = np.asarray(champion.compiled.score(rows), dtype=np.float64)
        if scores.shape != (len(rows),) or not np.all((scores >= 0) & (scores <= 1)):
            raise ContractError(
                "the model did not give every transaction a probability",
                where=f"{self._portfolio.name}, model {champion.version}",
                remedy="roll back to another version",
            )
        amounts = np.array([row["amount_minor"] for row in rows]) if self._portfolio.has_amount else None
        thresholds = champion.model.thresholds
        decisions = np.asarray(champion.model.decide(scores, amounts), dtype=object)
        ids = [one.id for one in transactions]
        explored = explore(self._portfolio, decisions, ids, thresholds, key=self._key)
        verdicts = [
            Verdict(*values)
            for values in zip(
                scores.tolist(),
                explored.decision.tolist(),
                explored.route.tolist(),
                explored.propensity.tolist(),
                strict=True,
            )
        ]
        return self._explained(champion, rows, verdicts)

    def _row(self, transaction: Transaction, features: Sequence[float]) -> dict[str, Any]:
        """Stored values and features by their names, and what reasons are told with."""
        row = {**transaction.row, "event_time": transaction.time, "amount_minor": transaction.amount_minor or 0}
        row.update(zip(self._names, features, strict=True))
        return row

    def _explained(
        self, champion: Champion, rows: Sequence[Mapping[str, Any]], verdicts: list[Verdict]
    ) -> list[Verdict]:
        """The same verdicts, with reasons where a transaction is not allowed."""
        flagged = [place for place, verdict in enumerate(verdicts) if verdict.decision != ALLOW]
        if not flagged:
            return verdicts
        # Each by itself: a sum over several rows may differ in its last bit, and a replay asks for one alone.
        for place in flagged:
            (why,) = champion.explainer.explain([rows[place]])
            verdict = verdicts[place]
            given = [ReasonGiven(*one) for one in zip(champion.explainer.codes(why), why.sentences, strict=True)]
            if verdict.route in REASONS:
                given.insert(0, ReasonGiven(f"{BY_CHANCE}.{verdict.route}", REASONS[verdict.route]))
            verdicts[place] = Verdict(
                verdict.score, verdict.decision, verdict.route, verdict.propensity, tuple(given), why.to_dict()
            )
        return verdicts
