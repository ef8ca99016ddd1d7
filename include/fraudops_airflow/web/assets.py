"""Styles and scripts: this package's own, and Plotly's out of the installed wheel; compressed once, kept by browsers.

An address bears the digest of what it names, so that a browser may keep the answer for as long as it likes.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request, Response
from markupsafe import Markup

PLOTLY = "plotly.min.js"
_MEDIA_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
_NAME = re.compile(r"[a-z][a-z0-9_.-]*\.(css|js)")

router = APIRouter()


@dataclass(frozen=True)
class Asset:
    """A style or a script, as it is and compressed."""

    content: bytes
    compressed: bytes
    media_type: str
    digest: str


@cache
def asset(name: str) -> Asset | None:
    """An asset by its name; None where there is none."""
    matched = _NAME.fullmatch(name)
    if matched is None:
        return None
    folder = files("plotly") / "package_data" if name == PLOTLY else files(__package__) / "static"
    path = folder / name
    if not path.is_file():
        return None
    content = path.read_bytes()
    # No name and no time in the header: the same bytes in every process.
    compressed = gzip.compress(content, compresslevel=9, mtime=0)
    return Asset(content, compressed, _MEDIA_TYPES[matched[1]], hashlib.sha256(content).hexdigest()[:16])


@cache
def plotly_styles() -> tuple[str, ...]:
    """Ids of the style elements that Plotly makes for itself where there are none.

    One without a nonce is refused, so pages bring them. The second one (of its maps, which nobody draws) is named
    by a digest that changes with the version.
    """
    script = asset(PLOTLY)
    of_maps = re.findall(rb'getElementById\("([0-9a-f]{64})"\)', script.content) if script else []
    return ("plotly.js-style-global", *(found.decode() for found in of_maps))


def own_style() -> Markup:
    """The style sheet itself, for a page of somebody who gets no files."""
    found = asset("style.css")
    return Markup(found.content.decode() if found else "")


def address(base: str, name: str) -> str:
    """Where a page finds an asset; another one once its content has changed.

    Raises
    ------
    LookupError
        There is no such asset.
    """
    found = asset(name)
    if found is None:
        raise LookupError(name)
    return f"{base}/assets/{found.digest}/{name}"


@router.get("/assets/{digest}/{name}")
def handed_out(request: Request, digest: str, name: str) -> Response:
    """An asset. With a digest that is not its own (an old page, another version) it is not to be kept."""
    found = asset(name)
    if found is None:
        raise HTTPException(404, "There is no such style or script.")
    is_this = digest == found.digest
    headers = {
        "Cache-Control": "private, max-age=31536000, immutable" if is_this else "no-store",
        "Vary": "Accept-Encoding",
    }
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(found.content, media_type=found.media_type, headers=headers)
    return Response(found.compressed, media_type=found.media_type, headers=headers | {"Content-Encoding": "gzip"})
