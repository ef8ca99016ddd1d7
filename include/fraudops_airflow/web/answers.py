"""Answers to what a person did: onwards to a page, or the page again with what was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse
from fraudops.errors import ConflictError, ContractError

from fraudops_airflow.web.rendering import base_of


def there(request: Request, path: str, query: Sequence[tuple[str, str]] = ()) -> RedirectResponse:
    """Go on to a page of the application."""
    address = f"{base_of(request)}/{path}"
    return RedirectResponse(f"{address}?{urlencode(query)}" if query else address, status_code=303)


def status_of(error: ContractError | None) -> int:
    """Of a page that says what was wrong."""
    if error is None:
        return 200
    return 409 if isinstance(error, ConflictError) else 422
