"""A document as PDF pages: the same content gives the same bytes, on every day and on every machine.

The letters are DejaVu Sans out of matplotlib's wheel: Latin, Greek and Cyrillic are in it, so that a customer's name
reads as it was written. What it has not (Chinese, Arabic) is set as an empty box.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib
from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, SimpleDocTemplate, Spacer
from reportlab.platypus import Paragraph as Text
from reportlab.platypus import Table as Grid

_PLAIN, _BOLD = "DejaVuSans", "DejaVuSans-Bold"
_INK, _SOFT, _LINE = colors.HexColor("#1c2733"), colors.HexColor("#5b6775"), colors.HexColor("#d5dbe1")
_MARK = colors.HexColor("#b3261e")
_MARGIN = 18 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_TALLEST = 150 * mm
"""A picture is never taller, so that it fits on a page with its caption."""


@dataclass(frozen=True)
class Heading:
    """A line that stands over what follows; ``level`` 1 or 2."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Running text; ``quiet`` for what explains and need not be read."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and values, one pair a line; a value may have several lines."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """Rows under column titles; goes on over pages with its titles repeated.

    Attributes
    ----------
    numbers
        Positions of the columns that are set to the right.
    widths
        Shares of the page's width; None: all the same.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int] = ()
    widths: Sequence[float] | None = None


@dataclass(frozen=True)
class Picture:
    """A PNG over the page's width, with words under it."""

    png: bytes
    caption: str = ""


Block = Heading | Paragraph | Facts | Table | Picture


@dataclass(frozen=True)
class Document:
    """What is to be set.

    Attributes
    ----------
    title, subtitle
        Head of the first page; the title stands at the foot of each page too.
    mark
        What every page says in red at its top, such as ``DRAFT``; None: nothing.
    """

    title: str
    subtitle: str
    blocks: Sequence[Block]
    mark: str | None = None


def render(document: Document) -> bytes:
    """Set a document on A4 pages.

    Returns
    -------
    bytes
        A PDF file. It holds no moment and no random number.
    """
    _fonts()
    out = io.BytesIO()
    pages = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=document.title,
        author="fraudops",
        invariant=1,
    )
    flow: list[Flowable] = [_text(document.title, _TITLE), _text(document.subtitle, _QUIET), Spacer(1, 4 * mm)]
    for block in document.blocks:
        flow += _SETTERS[type(block)](block)
    around = _around(document)
    pages.build(flow, onFirstPage=around, onLaterPages=around)
    return out.getvalue()


# -- inside -------------------------------------------------------------------------------------------

_BODY = ParagraphStyle("body", fontName=_PLAIN, fontSize=9, leading=13, textColor=_INK, spaceAfter=2 * mm)
_QUIET = ParagraphStyle("quiet", _BODY, fontSize=8, leading=11, textColor=_SOFT)
_TITLE = ParagraphStyle("title", _BODY, fontName=_BOLD, fontSize=18, leading=23, spaceAfter=1 * mm)
_HEADINGS = {
    1: ParagraphStyle("h1", _BODY, fontName=_BOLD, fontSize=12, leading=16, spaceBefore=5 * mm, keepWithNext=1),
    2: ParagraphStyle("h2", _BODY, fontName=_BOLD, fontSize=9.5, leading=13, spaceBefore=3 * mm, keepWithNext=1),
}
_CELL = ParagraphStyle("cell", _BODY, fontSize=8, leading=10.5, spaceAfter=0)
_NUMBER = ParagraphStyle("number", _CELL, alignment=TA_RIGHT)
_COLUMN = ParagraphStyle("column", _CELL, textColor=_SOFT)
_COLUMN_OF_NUMBERS = ParagraphStyle("column-number", _COLUMN, alignment=TA_RIGHT)


@lru_cache(maxsize=1)
def _fonts() -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in (_PLAIN, _BOLD):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    pdfmetrics.registerFontFamily(_PLAIN, normal=_PLAIN, bold=_BOLD, italic=_PLAIN, boldItalic=_BOLD)


def _text(words: str, style: ParagraphStyle) -> Flowable:
    """The words as they are: nothing in them is taken for markup, a line break stays one."""
    return Text(escape(words).replace("\n", "<br/>"), style)


def _heading(block: Heading) -> list[Flowable]:
    return [_text(block.text, _HEADINGS[block.level])]


def _paragraph(block: Paragraph) -> list[Flowable]:
    return [_text(block.text, _QUIET if block.quiet else _BODY)]


def _facts(block: Facts) -> list[Flowable]:
    rows = [[_text(name, _COLUMN), _text(value, _CELL)] for name, value in block.pairs]
    return [_grid(rows, [0.3 * _WIDTH, 0.7 * _WIDTH], titles=0), Spacer(1, 2 * mm)] if rows else []


def _table(block: Table) -> list[Flowable]:
    count = len(block.columns)
    shares = block.widths or [1 / count] * count
    right = set(block.numbers)
    titles = [_text(title, _COLUMN_OF_NUMBERS if at in right else _COLUMN) for at, title in enumerate(block.columns)]
    rows = [[_text(cell, _NUMBER if at in right else _CELL) for at, cell in enumerate(row)] for row in block.rows]
    widths = [share / sum(shares) * _WIDTH for share in shares]
    return [_grid([titles, *rows], widths, titles=1), Spacer(1, 2 * mm)]


def _grid(rows: list[list[Flowable]], widths: list[float], titles: int) -> Flowable:
    return Grid(
        rows,
        colWidths=widths,
        repeatRows=titles,
        hAlign="LEFT",
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ],
    )


def _picture(block: Picture) -> list[Flowable]:
    wide, high = ImageReader(io.BytesIO(block.png)).getSize()
    scale = min(_WIDTH / wide, _TALLEST / high)
    image = Image(io.BytesIO(block.png), wide * scale, high * scale, hAlign="LEFT")
    return [image, *([_text(block.caption, _QUIET)] if block.caption else []), Spacer(1, 2 * mm)]


_SETTERS: dict[type, Callable[..., list[Flowable]]] = {
    Heading: _heading,
    Paragraph: _paragraph,
    Facts: _facts,
    Table: _table,
    Picture: _picture,
}


def _around(document: Document) -> Callable[[Canvas, SimpleDocTemplate], None]:
    """Draws what stands around the text of a page."""

    def draw(canvas: Canvas, pages: SimpleDocTemplate) -> None:
        canvas.saveState()
        canvas.setFont(_PLAIN, 7)
        canvas.setFillColor(_SOFT)
        canvas.drawString(_MARGIN, 10 * mm, document.title)
        canvas.drawRightString(A4[0] - _MARGIN, 10 * mm, f"{pages.page}")
        if document.mark:
            canvas.setFont(_BOLD, 9)
            canvas.setFillColor(_MARK)
            canvas.drawRightString(A4[0] - _MARGIN, A4[1] - 11 * mm, document.mark)
        canvas.restoreState()

    return draw
