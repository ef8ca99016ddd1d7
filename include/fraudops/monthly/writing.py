"""A pack as people open it: a page, a PDF, a sheet. Nothing is read but the pack."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from fraudops.documents import Block, Document, Facts, Heading, Paragraph, Picture, Table, render
from fraudops.monthly.figures import draw
from fraudops.monthly.month import Month
from fraudops.monthly.pack import Cell, Grid, Measured, Money, Pack, Section, Share, text_of
from fraudops.reports.rendering import moment
from fraudops.reports.safe_csv import write_csv

_COLUMNS = ("month", "as_of", "section", "table", "row", "column", "value", "unit", "low", "high", "text", "source")


def page(pack: Pack, pictures: dict[str, bytes]) -> bytes:
    """One HTML file: styles and pictures are inside, nothing is loaded from anywhere, no script runs."""
    template = _environment().get_template("pack.html")
    encoded = {name: base64.b64encode(png).decode() for name, png in pictures.items()}
    return template.render(pack=pack, name=Month(pack.month).name, pictures=encoded, subtitle=subtitle(pack)).encode()


def paper(pack: Pack, pictures: dict[str, bytes]) -> bytes:
    """The same as a PDF."""
    blocks: list[Block] = [Facts([(name, text_of(cell)) for name, cell in pack.headline.items()])]
    blocks += [Paragraph(remark) for remark in pack.remarks]
    for section in pack.sections:
        blocks += _blocks(section, pictures)
    blocks += [
        Heading("What it was computed from"),
        Paragraph(_rest(pack), quiet=True),
    ]
    return render(Document(f"{pack.title}: {Month(pack.month).name}", subtitle(pack), blocks))


def sheet(pack: Pack) -> bytes:
    """Every number in a line of its own, as CSV: exact values, and the text that the page shows."""
    stream = io.StringIO(newline="")
    write_csv(stream, _COLUMNS, _lines(pack))
    return stream.getvalue().encode()


def draw_all(pack: Pack) -> dict[str, bytes]:
    """Name of each chart → its picture."""
    return {chart.id: draw(chart) for section in pack.sections for chart in section.charts}


def subtitle(pack: Pack) -> str:
    """Which month, as of when, and whether it is the first word."""
    kind = "restated" if pack.restated else "first edition"
    return f"Monthly pack of the portfolio {pack.portfolio} for {pack.month}, {kind}, as of {moment(pack.as_of)}"


# -- inside -------------------------------------------------------------------------------------------


def _rest(pack: Pack) -> str:
    datasets: dict[str, list[str]] = {}
    for name in pack.made_from:
        dataset, _, key = name.partition("/")
        datasets.setdefault(dataset, []).append(key)
    parts = [f"{dataset} {min(keys)} to {max(keys)} ({len(keys)})" for dataset, keys in sorted(datasets.items())]
    return f"Partitions: {'; '.join(parts)}. The digest of each is in pack.json beside this document."


def _blocks(section: Section, pictures: dict[str, bytes]) -> Iterator[Block]:
    yield Heading(section.title)
    for sentence in section.sentences:
        yield Paragraph(sentence)
    for chart in section.charts:
        yield Picture(pictures[chart.id], f"{chart.title}. {chart.source}")
    for grid in section.grids:
        yield Heading(grid.title, 2)
        if grid.rows:
            rows = [[text_of(cell) for cell in row] for row in grid.rows]
            yield Table(grid.columns, rows, grid.numbers, grid.widths or None)
        else:
            yield Paragraph(grid.empty)
        yield Paragraph(grid.source, quiet=True)


def _lines(pack: Pack) -> Iterator[tuple[object, ...]]:
    head = (pack.month, pack.as_of)
    for name, cell in pack.headline.items():
        yield (*head, "headline", "headline", name, "value", *_values(cell), "see the sections")
    for section in pack.sections:
        for grid in section.grids:
            for row in grid.rows:
                for column, cell in list(zip(grid.columns, row, strict=True))[grid.named_by :]:
                    yield (*head, section.id, grid.id, _name(grid, row), column, *_values(cell), grid.source)


def _name(grid: Grid, row: tuple[Cell, ...]) -> str:
    return " / ".join(text_of(cell) for cell in row[: grid.named_by])


def _values(cell: Cell) -> tuple[object, ...]:
    """Value, unit, low, high and text."""
    match cell:
        case Money():
            return (cell.major, cell.currency, None, None, str(cell))
        case Share():
            return (cell.value, "share", cell.low, cell.high, str(cell))
        case Measured():
            return (cell.value, None, cell.low, cell.high, str(cell))
        case int():
            return (cell, None, None, None, text_of(cell))
    return (None, None, None, None, text_of(cell))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fraudops.monthly"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shown=text_of, moment=moment)
    return environment
