"""Logs as one JSON object a line. What a request or a row says never gets here."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

_requests = logging.getLogger("fraudops.serving.requests")
_FIELDS = "fields"


class JsonLines(logging.Formatter):
    """One object a record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # Its text may hold a row.
            line["error"] = record.exc_info[0].__name__
        return msgspec.json.encode(line).decode()


def configure(level: str = "INFO") -> None:
    """Let everything that this process logs be such lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Nothing of this is in a line, and asking for it costs more than the rest of one.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def log_request(
    method: str,
    route: str,
    status: int,
    seconds: float,
    request: str,
    *,
    key: str | None = None,
    portfolio: str | None = None,
    rows: int = 0,
) -> None:
    """Say that a request was answered."""
    if _requests.isEnabledFor(logging.INFO):
        fields = {
            "request": request,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 3),
            "key": key,
            "portfolio": portfolio,
            "rows": rows,
        }
        _requests.info("request", extra={_FIELDS: fields})
