"""Which key a request comes with, and what that allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fraudops.serving.api_keys import Grant
from fraudops.serving.problems import Kind, Problem
from fraudops.serving.service import Service

_CHALLENGE = {"www-authenticate": 'Bearer realm="fraudops"'}


@dataclass(frozen=True)
class Access:
    """Asks for keys."""

    service: Service

    def require(self, headers: Mapping[bytes, bytes], scope: str) -> Grant:
        """The key's grant.

        Raises
        ------
        Problem
            There is no valid key, or it does not have the scope.
        """
        grant = self.service.keys.find(_key_in(headers), datetime.now(UTC))
        if grant is None:
            detail = "Send a valid key as 'Authorization: Bearer …' or 'X-API-Key: …'."
            raise Problem(Kind.UNAUTHORIZED, detail, headers=_CHALLENGE)
        if scope not in grant.scopes:
            raise Problem(Kind.FORBIDDEN, f"The key needs the scope {scope!r}.")
        return grant

    def require_portfolio(self, grant: Grant, name: str) -> None:
        """Raise where a key is not for a portfolio, or the service does not answer for it."""
        if not grant.covers(name):
            raise Problem(Kind.FORBIDDEN, "The key is not for this portfolio.")
        if name not in self.service.portfolios:
            raise Problem(Kind.NOT_FOUND, "This service does not score such a portfolio.")


def _key_in(headers: Mapping[bytes, bytes]) -> str:
    bearer = headers.get(b"authorization", b"")
    if bearer[:7].lower() == b"bearer ":
        return bearer[7:].strip().decode("latin-1")
    return headers.get(b"x-api-key", b"").strip().decode("latin-1")
