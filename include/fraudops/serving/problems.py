"""What can go wrong with a request, as problems of RFC 9457: a stable type, what to do, and never a value of a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec

from fraudops.intake.single import Fault

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:fraudops:problem:"


class Kind(Enum):
    """Every kind of problem: its slug, status and title. A slug never changes its meaning."""

    INVALID_REQUEST = ("invalid-request", 400, "The body is not the JSON object that this service expects")
    UNAUTHORIZED = ("unauthorized", 401, "No key, or none that is valid")
    FORBIDDEN = ("forbidden", 403, "The key does not allow this")
    NOT_FOUND = ("not-found", 404, "There is no such thing")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "This address does not take this method")
    REQUEST_TIMEOUT = ("request-timeout", 408, "The request did not arrive in time")
    CONFLICT = ("transaction-conflict", 409, "Another transaction with this id was decided before")
    IN_PROGRESS = ("request-in-progress", 409, "A request with this Idempotency-Key is being answered")
    TOO_LARGE = ("body-too-large", 413, "The body is larger than this service takes")
    TOO_MANY_ROWS = ("too-many-transactions", 413, "More transactions than one request may have")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported-media-type", 415, "The body is not plain application/json")
    INVALID_TRANSACTION = ("invalid-transaction", 422, "The transaction cannot be used")
    IDEMPOTENCY_MISMATCH = ("idempotency-mismatch", 409, "This Idempotency-Key was used with another body")
    RATE_LIMITED = ("rate-limited", 429, "The key has used up its transactions for now")
    INTERNAL = ("internal", 500, "The service failed; this is its mistake")
    BUSY = ("busy", 503, "More waits than this service can decide in time")
    STOPPING = ("stopping", 503, "The service is stopping")
    NO_CHAMPION = ("no-champion", 503, "The portfolio has no model in force yet")
    DATABASE_AWAY = ("database-away", 503, "The database is away, and the portfolio wants no answer without it")
    TIMEOUT = ("timeout", 504, "The decision was not there in time")

    def __init__(self, slug: str, status: int, title: str) -> None:
        self.slug, self.status, self.title = slug, status, title

    @property
    def uri(self) -> str:
        """Its ``type``."""
        return PREFIX + self.slug


@dataclass(eq=False)
class Problem(Exception):
    """A problem of one request, or of one of its rows.

    Attributes
    ----------
    detail
        What to do. Nothing of what was sent.
    errors
        What is wrong with each column.
    headers
        Of the response, in small letters.
    """

    kind: Kind
    detail: str = ""
    errors: tuple[Fault, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """The members of its JSON object."""
        found: dict[str, Any] = {"type": self.kind.uri, "title": self.kind.title, "status": self.kind.status}
        if self.detail:
            found["detail"] = self.detail
        if self.errors:
            found["errors"] = [
                {"column": fault.column, "reason": fault.reason, "remedy": fault.remedy} for fault in self.errors
            ]
        return found | self.more

    @property
    def body(self) -> bytes:
        """Its JSON."""
        return msgspec.json.encode(self.content)


def invalid(faults: list[Fault]) -> Problem:
    """Of a row that cannot be used."""
    return Problem(Kind.INVALID_TRANSACTION, "Correct the columns named under errors.", tuple(faults))


def conflict(decision_id: str) -> Problem:
    """Of an id that another transaction has had."""
    detail = "Send each transaction with an id of its own; the same one again must say the same."
    return Problem(Kind.CONFLICT, detail, more={"decision_id": decision_id})


def come_again(kind: Kind, seconds: float = 1.0) -> Problem:
    """Of something that passes by itself."""
    after = max(1, -(-int(seconds * 1000) // 1000))
    return Problem(kind, f"Send it again after {after} s.", headers={"retry-after": str(after)})
