"""From a notice's content to queued mails: who gets it, in which languages, with how much detail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.orm import Session

from fraudops.notices import outbox
from fraudops.notices.attachments import Attachment
from fraudops.notices.outbox import one_line
from fraudops.notices.words import Count, Text, Words, content_in, say, text_in, translation
from fraudops.portfolio import Portfolio
from fraudops.portfolio.notices import Severity
from fraudops.workspace import Workspace

_DAY = len("2026-03-05")
"""Keys of partitions begin with their day."""


@dataclass(frozen=True)
class Link:
    """Where the reader goes from the mail."""

    label: Text
    address: str


def page_address(ws: Workspace, path: str) -> str:
    """Of a page of Fraud Ops within Airflow's frame; Airflow leads there after logging in, and keeps what is asked."""
    return f"{ws.ui_url}/plugin/fraud-ops{urlsplit(ws.ui_url).path}/fraud-ops/{path}"


def dag_link(ws: Workspace, dag_id: str) -> Link:
    """To a DAG's page in Airflow."""
    return Link(say("Open {dag} in Airflow", dag=dag_id), f"{ws.ui_url}/dags/{dag_id}")


def alerts_link(ws: Workspace, portfolio: Portfolio, first: str, last: str) -> Link:
    """To the alerts of some partitions, each of which leads to its case."""
    asked = urlencode({"portfolio": portfolio.name, "first": first[:_DAY], "last": last[:_DAY]})
    return Link(say("Open the alerts in Airflow"), page_address(ws, f"alerts?{asked}"))


def alert_link(ws: Workspace, portfolio: Portfolio, number: int) -> Link:
    """To one alert, which leads to its case."""
    return Link(say("Open the alert in Airflow"), page_address(ws, f"alerts/{portfolio.name}/{number}"))


def cases_link(ws: Workspace, portfolio: Portfolio, case: str | None = None) -> Link:
    """To a case by its name, or to the queue of cases, the nearest review deadline first."""
    if case is not None:
        number = case.removeprefix(f"{portfolio.name}-")
        return Link(say("Open the case in Airflow"), page_address(ws, f"cases/{portfolio.name}/{number}"))
    asked = urlencode({"portfolio": portfolio.name, "sort": "deadline"})
    return Link(say("Open the cases in Airflow"), page_address(ws, f"cases?{asked}"))


def count_of(number: int, noun: str) -> Count:
    """``1 alert``, ``1,204 alerts``."""
    return Count(number, noun)


def queue_rendered(
    session: Session,
    ws: Workspace,
    portfolio: Portfolio,
    *,
    kind: str,
    dedupe_key: str,
    recipients: Iterable[str],
    as_of: datetime,
    subject: Text,
    reference: Text,
    link: Link,
    content: dict[str, Any],
    template: str | None = None,
    severity: Severity = "medium",
    attachments: Sequence[Attachment] = (),
) -> bool:
    """Render both parts and queue, once for each language that a recipient reads.

    Parameters
    ----------
    recipients
        Who gets it, unless the portfolio's ``notices.to`` names others for this kind and severity.
    subject, reference
        ``reference`` is the subject, and all there is, where detail is cut down.
    template
        Name of the pair of templates; None: the kind's own.
    severity
        How grave it is: ``low`` to ``critical``.

    Returns
    -------
    bool
        False where it was queued before.
    """
    notices = portfolio.notices
    by_language: dict[str, list[str]] = {}
    for address in notices.recipients_of(kind, severity, recipients):
        by_language.setdefault(notices.language_of(address), []).append(address)
    if not by_language:
        by_language = {notices.language: []}
    shown = _Shown(subject, reference, link, content, template or kind, attachments)
    for place, (language, addresses) in enumerate(by_language.items()):
        # The first one bears the notice's own name, by which it is known whether people were told: whoever reads
        # another language later on is not told of it again.
        key = f"{language}/{dedupe_key}" if place else dedupe_key
        queued = _queue(session, portfolio, kind, key, addresses, as_of, language, shown)
        if not queued and not place:
            return False
    return True


@dataclass(frozen=True)
class _Shown:
    """What a notice says, in no language yet."""

    subject: Text
    reference: Text
    link: Link
    content: dict[str, Any]
    template: str
    attachments: Sequence[Attachment]


def _queue(
    session: Session,
    portfolio: Portfolio,
    kind: str,
    dedupe_key: str,
    recipients: Sequence[str],
    as_of: datetime,
    language: str,
    shown: _Shown,
) -> bool:
    is_full = portfolio.notices.detail == "full"
    template = shown.template if is_full else "reference"
    headline = one_line(text_in(shown.subject if is_full else shown.reference, language), 150)
    values = {
        "portfolio": portfolio.name,
        "title": one_line(portfolio.title),
        "subject": headline,
        "language": language,
        "_": partial(_said, language),
        "link": content_in(shown.link, language),
        **(content_in(shown.content, language) if is_full else {}),
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
        attachments=shown.attachments if is_full else (),
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


def _said(language: str, english: str, **values: Any) -> str:
    """A sentence of a template; one without values may be a word that comes with the content."""
    return Words(english, values).told(language) if values else translation(english, language)


def _render(template: str, values: dict[str, Any]) -> str:
    return _environment().get_template(template).render(values)
