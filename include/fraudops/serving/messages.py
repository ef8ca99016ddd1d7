"""What a request says and what it is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from fraudops.decisions.immediate import Conflict, Decided
from fraudops.intake.single import Fault
from fraudops.intake.transaction import Transaction
from fraudops.serving.problems import Kind, Problem, conflict, invalid

NAMED = "The body names a portfolio, and either a transaction or a list of transactions, each a JSON object."


class ScoreRequest(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of ``POST /v1/score``."""

    portfolio: str
    transaction: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    transactions: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET


_decoder = msgspec.json.Decoder(ScoreRequest)
_encoder = msgspec.json.Encoder()


def read_request(body: bytes, most: int) -> tuple[str, list[dict[str, Any]], bool]:
    """Portfolio, rows, and whether it is one transaction alone.

    Raises
    ------
    Problem
        It is no such request, or has too many rows.
    """
    try:
        request = _decoder.decode(body)
    except (ValueError, RecursionError):
        # Its own message may quote names that the caller has given.
        raise Problem(Kind.INVALID_REQUEST, NAMED) from None
    one, many = request.transaction, request.transactions
    if (one is msgspec.UNSET) == (many is msgspec.UNSET):
        raise Problem(Kind.INVALID_REQUEST, NAMED)
    rows = [one] if isinstance(one, dict) else list(many or ())
    if not rows:
        raise Problem(Kind.INVALID_REQUEST, "The list of transactions is empty.")
    if len(rows) > most:
        raise Problem(Kind.TOO_MANY_ROWS, f"At most {most:,} transactions a request.")
    return request.portfolio, rows, isinstance(one, dict)


def told(decided: Decided) -> dict[str, Any]:
    """What is said of a decision."""
    return {
        "decision_id": decided.decision_id,
        "transaction_id": decided.transaction_id,
        "probability": decided.score,
        "decision": decided.decision,
        "thresholds": dict(decided.thresholds),
        "reasons": [{"code": reason.code, "text": reason.text} for reason in decided.reasons],
        "model_version": decided.model_version,
        "repeated": decided.repeated,
        "degraded": list(decided.degraded),
    }


def results(
    read: Sequence[Transaction | list[Fault]], decided: Sequence[Decided | Conflict]
) -> list[Mapping[str, Any] | Problem]:
    """A decision or a problem for each row."""
    answers = iter(decided)
    found: list[Mapping[str, Any] | Problem] = []
    for row in read:
        if isinstance(row, list):
            found.append(invalid(row))
            continue
        answer = next(answers)
        found.append(conflict(answer.decision_id) if isinstance(answer, Conflict) else told(answer))
    return found


def answer(portfolio: str, found: Sequence[Mapping[str, Any] | Problem], *, alone: bool) -> bytes:
    """The body of the answer.

    Raises
    ------
    Problem
        That of the only transaction.
    """
    if alone:
        (only,) = found
        if isinstance(only, Problem):
            raise only
        return _encoder.encode({"portfolio": portfolio, **only})
    rows = [
        {"index": place, "problem": one.content} if isinstance(one, Problem) else {"index": place, **one}
        for place, one in enumerate(found)
    ]
    wrong = sum(isinstance(one, Problem) for one in found)
    return _encoder.encode({"portfolio": portfolio, "errors": wrong, "results": rows})
