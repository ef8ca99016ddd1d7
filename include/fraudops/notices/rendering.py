"""From a notice's content to a queued mail: both parts rendered, detail cut down where the portfolio wants it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from fraudops.notices import outbox
from fraudops.notices.attachments import Attachment
from fraudops.notices.outbox import one_line
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Link:
    """Where the reader goes from the mail."""

    label: str
    address: str


def count_of(number: int, noun: str) -> str:
    """``1 alert``, ``1,204 alerts``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def queue_rendered(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    *,
    kind: str,
    dedupe_key: str,
    recipients: Iterable[str],
    as_of: datetime,
    subject: str,
    reference: str,
    link: Link,
    content: dict[str, Any],
    template: str | None = None,
    attachments: Sequence[Attachment] = (),
) -> bool:
    """Render both parts and queue; ``reference`` is the subject, and all there is, where detail is cut down.

    Parameters
    ----------
    template
        Name of the pair of templates; None: the kind's own.
    """
    is_full = portfolio.notices.detail == "full"
    template = (template or kind) if is_full else "reference"
    headline = one_line(subject if is_full else reference, 150)
    values = {
        "portfolio": portfolio.name,
        "title": one_line(portfolio.title),
        "subject": headline,
        "link": link,
        **(content if is_full else {}),
    }
    return outbox.queue(
        session,
        portfolio=portfolio,
        kind=kind,
        dedupe_key=dedupe_key,
        recipients=recipients,
        subject=f"[fraudops] {headline}",
        text=_render(f"{template}.txt", values),
        html=_render(f"{template}.html", values),
        as_of=as_of,
        attachments=attachments if is_full else (),
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _render(template: str, values: dict[str, Any]) -> str:
    return _environment().get_template(template).render(values)
