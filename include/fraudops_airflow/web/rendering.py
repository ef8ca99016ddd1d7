"""Jinja templates: everything is escaped, a name that does not exist is an error."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fraudops_airflow.web.assets import address, own_style, plotly_styles
from fraudops_airflow.web.navigation import menu, section_of


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Answer with a page; links are made below the path at which Airflow mounted the application."""
    base = base_of(request)
    path = request.url.path.removeprefix(base).strip("/")
    person = getattr(request.state, "person", None)
    section = section_of(path)
    content = (
        _environment()
        .get_template(template)
        .render(
            base=base,
            airflow=base.rsplit("/", 1)[0],
            path=path,
            here=path.split("/")[0],
            person=person,
            menu=menu(person) if person else (),
            section=section,
            section_pages=section.open_to(person) if section and person else (),
            asset=partial(address, base),
            style="" if person else own_style(),
            nonce=request.state.nonce,
            status=status,
            **values,
        )
    )
    return HTMLResponse(content, status_code=status)


def base_of(request: Request) -> str:
    """The path at which Airflow mounted the application."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def moment(value: datetime | None) -> Markup:
    """An aware moment as people read it: ``2026-03-05 14:30 UTC``, never broken over two lines."""
    if value is None:
        return Markup("–")
    utc = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(utc.isoformat(), utc.strftime("%Y-%m-%d %H:%M UTC"))


def segment(value: object) -> str:
    """One segment of a path, slashes included."""
    return quote(str(value), safe="")


def count(value: int) -> str:
    """A whole number with thin separators: ``284 807`` (narrow no-break spaces)."""
    return f"{value:,}".replace(",", " ")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(plotly_styles=plotly_styles)
    environment.filters.update(moment=moment, segment=segment, count=count, zip=zip)
    return environment
