"""A pack as data: sections of tables and charts, each with what it was computed from; to JSON and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from fraudops.portfolio.iso import money_text
from fraudops.store.digests import canonical_json

NOTHING = "–"


@dataclass(frozen=True)
class Money:
    """A sum in minor units; ``currency`` may be empty."""

    minor: int
    digits: int
    currency: str

    def __str__(self) -> str:
        """``3,412.50 EUR``."""
        return money_text(self.minor, self.digits, self.currency)

    @property
    def major(self) -> str:
        """The sum in major units, as programs read it: ``3412.50``."""
        return money_text(self.minor, self.digits, "").replace(",", "")


@dataclass(frozen=True)
class Share:
    """A part of a whole, with an interval where it was estimated from few: ``12.5 % (9.1 to 16.4)``."""

    part: int
    whole: int
    low: float | None = None
    high: float | None = None
    digits: int = 1

    @property
    def value(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return self.part / self.whole if self.whole else None

    def __str__(self) -> str:
        """As a percentage."""
        if self.value is None:
            return NOTHING
        text = f"{100 * self.value:.{self.digits}f}"
        if self.low is None or self.high is None:
            return f"{text}\N{NO-BREAK SPACE}%"
        return f"{text}\N{NO-BREAK SPACE}% ({100 * self.low:.{self.digits}f} to {100 * self.high:.{self.digits}f})"


@dataclass(frozen=True)
class Measured:
    """A number with its interval."""

    value: float
    low: float | None = None
    high: float | None = None
    digits: int = 3

    def __str__(self) -> str:
        """``0.812 (0.774 to 0.850)``."""
        text = f"{self.value:,.{self.digits}f}"
        if self.low is None or self.high is None:
            return text
        return f"{text} ({self.low:,.{self.digits}f} to {self.high:,.{self.digits}f})"


Cell = str | int | None | Money | Share | Measured
_KINDS: dict[str, type] = {"money": Money, "share": Share, "measured": Measured}


def text_of(cell: Cell) -> str:
    """A cell as people read it."""
    if cell is None:
        return NOTHING
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes
    ----------
    id
        Its name in the CSV.
    rows
        The first cell of each says what the row is about.
    source
        What it was computed from: partitions, moment, model versions.
    widths
        Shares of the width; empty: all the same.
    named_by
        How many columns say what a row is about.
    """

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    source: str
    empty: str = "Nothing."
    widths: tuple[float, ...] = ()
    named_by: int = 1

    @property
    def numbers(self) -> tuple[int, ...]:
        """Places of the columns that hold no text."""
        return tuple(
            place
            for place in range(1, len(self.columns))
            if any(not isinstance(row[place], str | None) for row in self.rows)
        )


@dataclass(frozen=True)
class Chart:
    """What a picture shows: series over partitions.

    Attributes
    ----------
    kind
        ``bars`` (stacked), or ``lines``.
    series
        Name → a number per key, None where there is none.
    """

    id: str
    title: str
    kind: str
    keys: tuple[str, ...]
    series: dict[str, tuple[float | None, ...]]
    unit: str
    source: str


@dataclass(frozen=True)
class Section:
    """A chapter: what it says in a sentence or two, and what it rests on."""

    id: str
    title: str
    sentences: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    charts: tuple[Chart, ...] = ()


@dataclass(frozen=True)
class Pack:
    """All that a month's pack says.

    Attributes
    ----------
    edition
        Names it among the packs of its month: the moment it is as of.
    as_of
        ISO 8601: nothing that became known later counts.
    headline
        Name → value: what stands at the top, and in the mail.
    remarks
        What a reader must know before anything else: what is missing, what has not matured.
    made_from
        ``dataset/key`` → digest of every partition that was read.
    """

    portfolio: str
    title: str
    month: str
    edition: str
    as_of: str
    restated: bool
    headline: dict[str, Cell]
    remarks: tuple[str, ...]
    sections: tuple[Section, ...]
    made_from: dict[str, str] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Canonical JSON: the same content, the same bytes."""
        return canonical_json(_plain(self)) + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The inverse of :meth:`to_bytes`."""
        found = json.loads(content)
        return cls(
            **{name: value for name, value in found.items() if name not in ("headline", "remarks", "sections")},
            # JSON objects are sorted; the order of the headline is told by a list.
            headline={name: _cell(value) for name, value in found["headline"]},
            remarks=tuple(found["remarks"]),
            sections=tuple(_section(section) for section in found["sections"]),
        )


# -- inside -------------------------------------------------------------------------------------------


def _plain(pack: Pack) -> dict[str, Any]:
    found = {name: getattr(pack, name) for name in ("portfolio", "title", "month", "edition", "as_of", "restated")}
    return found | {
        "headline": [[name, _packed(cell)] for name, cell in pack.headline.items()],
        "remarks": list(pack.remarks),
        "sections": [_packed_section(section) for section in pack.sections],
        "made_from": pack.made_from,
    }


def _packed_section(section: Section) -> dict[str, Any]:
    grids = [asdict(grid) | {"rows": [[_packed(cell) for cell in row] for row in grid.rows]} for grid in section.grids]
    charts = [asdict(chart) | {"series": list(map(list, chart.series.items()))} for chart in section.charts]
    return {
        "id": section.id,
        "title": section.title,
        "sentences": list(section.sentences),
        "grids": grids,
        "charts": charts,
    }


def _section(found: dict[str, Any]) -> Section:
    return Section(
        found["id"],
        found["title"],
        tuple(found["sentences"]),
        tuple(_grid(grid) for grid in found["grids"]),
        tuple(_chart(chart) for chart in found["charts"]),
    )


def _grid(found: dict[str, Any]) -> Grid:
    rows = tuple(tuple(_cell(cell) for cell in row) for row in found["rows"])
    return Grid(**found | {"columns": tuple(found["columns"]), "rows": rows, "widths": tuple(found["widths"])})


def _chart(found: dict[str, Any]) -> Chart:
    series = {name: tuple(values) for name, values in found["series"]}
    return Chart(**found | {"keys": tuple(found["keys"]), "series": series})


def _packed(cell: Cell) -> Any:
    if isinstance(cell, Money | Share | Measured):
        kind = next(kind for kind, type_ in _KINDS.items() if isinstance(cell, type_))
        return {"kind": kind, **asdict(cell)}
    return cell


def _cell(found: Any) -> Cell:
    if not isinstance(found, dict):
        return found
    return _KINDS[found["kind"]](**{name: value for name, value in found.items() if name != "kind"})


def listed(texts: Sequence[str]) -> str:
    """``a, b and c``."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""
