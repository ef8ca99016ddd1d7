"""Answers to what a person did: onwards to a page, or the page again with what was wrong."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import RedirectResponse
from fraudops.errors import ConflictError, ContractError


def there(request: Request, path: str) -> RedirectResponse:
    """Go on to a page of the application."""
    base = str(request.scope.get("root_path", "")).rstrip("/")
    return RedirectResponse(f"{base}/{path}", status_code=303)


def status_of(error: ContractError | None) -> int:
    """Of a page that says what was wrong."""
    if error is None:
        return 200
    return 409 if isinstance(error, ConflictError) else 422
