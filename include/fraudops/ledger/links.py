"""What makes a link of the chain: its digest over the one before it, and a signature with a key of ours."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fraudops.store.digests import sha256_of

GENESIS = "0" * 64
"""What the first entry follows."""
_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True)
class Head:
    """The end of the chain at some moment: kept elsewhere, it shows that nothing before it was changed or cut off."""

    number: int
    digest: str


def plain(value: Any) -> Any:
    """The value as PostgreSQL's jsonb gives it back: it does not keep how a float was written, so write text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def digest_of(
    *,
    number: int,
    at: datetime,
    portfolio: str,
    actor: str,
    action: str,
    subject: str,
    details: Mapping[str, Any],
    previous: str,
) -> str:
    """Digest of an entry: of all that it says, of its number, and of the digest before it.

    It is that of :func:`fraudops.store.digests.canonical_json` of these, put together by hand: a million of them are
    verified at a time, and this is half of it.
    """
    return sha256_of(
        f'{{"action":{_json(action)},"actor":{_json(actor)},"at":"{at.astimezone(UTC).isoformat()}",'
        f'"details":{_json(details)},"number":{number},"portfolio":{_json(portfolio)},'
        f'"previous":{_json(previous)},"subject":{_json(subject)}}}'.encode()
    )


class Signer:
    """Signs texts with one key: HMAC-SHA-256, as 64 hexadecimal digits."""

    def __init__(self, key: bytes) -> None:
        self._begun = hmac.new(key, digestmod="sha256")

    def __call__(self, text: str) -> str:
        """The signature of a text."""
        signature = self._begun.copy()
        signature.update(text.encode())
        return signature.hexdigest()
