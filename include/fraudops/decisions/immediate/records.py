"""What comes to the desk, and what leaves it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fraudops.online import Transaction

if TYPE_CHECKING:
    from fraudops.explanation import Explanation
    from fraudops.training.model import FraudModel

_NAMESPACE = uuid.UUID("8f0a3b0e-5a39-5d0c-9d5e-6f1d6f2f5c11")
"""Of decision ids; whatever it is, it must never change."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A transaction that somebody wants decided.

    Attributes
    ----------
    raw
        The row as it was received; kept encrypted.
    content
        Digest of it: the same id with another content is another one's mistake.
    """

    transaction: Transaction
    raw: bytes
    content: str
    received_at: datetime


class Compiled(Protocol):
    """Scores rows as its model does, without a frame."""

    def score(self, rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """Probability of fraud of each row."""


class Explains(Protocol):
    """Says of rows why a model gave them their scores."""

    def explain(self, rows: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        """The rows' explanations, in their order."""

    def codes(self, explanation: Explanation) -> list[str]:
        """A stable code for each of an explanation's reasons."""


@dataclass(frozen=True, eq=False)
class Champion:
    """The model in force, ready to score.

    Attributes
    ----------
    version
        ``v3``.
    model_id
        Its row in ``model_version``.
    sha256
        Of its file.
    """

    version: str
    model_id: int
    sha256: str
    model: FraudModel
    compiled: Compiled
    explainer: Explains


@dataclass(frozen=True, slots=True)
class ReasonGiven:
    """Why a transaction is not simply allowed: a stable code, and a sentence."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided on a transaction.

    Attributes
    ----------
    thresholds
        ``review``, ``block`` and, where the policy decides by value, ``review_value``.
    reasons
        Empty where it is allowed.
    repeated
        It had been decided before; this is that decision.
    degraded
        What was away when it was decided, such as ``database``.
    """

    decision_id: str
    transaction_id: str
    score: float
    decision: str
    route: str
    propensity: float
    thresholds: Mapping[str, float | None]
    reasons: tuple[ReasonGiven, ...]
    model_version: str
    repeated: bool = False
    degraded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """A transaction whose id is that of another one, which was decided.

    Attributes
    ----------
    decision_id
        Of that other one's decision.
    """

    transaction_id: str
    decision_id: str


def decision_id_of(portfolio: str, transaction_id: str) -> str:
    """The decision's id, the same whoever asks: RFC 9562's version 5, of portfolio and transaction."""
    name = f"{portfolio}/{transaction_id}".encode()
    digest = hashlib.sha1(_NAMESPACE.bytes + name, usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


def thresholds_told(stored: Mapping[str, Any]) -> dict[str, float | None]:
    """Of a model's thresholds what an answer names."""
    value = stored.get("review_value")
    told: dict[str, float | None] = {"review": stored.get("review"), "block": stored.get("block")}
    return told if value is None else {**told, "review_value": value}
