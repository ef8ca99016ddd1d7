"""Sources: where a feed's rows come from, and what its columns are called there."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from fraudops.portfolio.columns import Column, TimeParts, Unit
from fraudops.portfolio.durations import Duration
from fraudops.portfolio.strict import Strict


class SourceColumn(Strict):
    """A column of one source that differs from the portfolio's in more than its name."""

    name: str | None = None
    """What the source calls it (default: as the portfolio does)."""
    unit: Unit | None = None
    origin: datetime | None = None
    timezone: str | None = None
    format: str | None = None
    parts: TimeParts | None = None
    join: tuple[str, ...] | None = None
    rows_per_day: int | None = None
    positive: tuple[str, ...] | None = None
    negative: tuple[str, ...] | None = None

    def applied_to(self, column: Column) -> Column:
        """The portfolio's column as this source writes it.

        Raises
        ------
        ValueError
            The two together make no sense.
        """
        differing = self.model_dump(exclude_none=True, exclude={"name"})
        if not differing:
            return column
        # Another way of writing the time takes the place of the portfolio's, it is not added to it.
        content = column.model_dump(exclude_defaults=True)
        if differing.keys() & {"origin", "parts", "rows_per_day", "format"}:
            content = {key: value for key, value in content.items() if key not in _WAYS_OF_TIME}
        return Column.model_validate(content | differing)


_WAYS_OF_TIME = frozenset({"origin", "unit", "parts", "rows_per_day", "format"})


class Source(Strict):
    """Where a feed comes from, and what its columns are called there: files, or a database."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")] = "main"
    """Tells several sources of one portfolio apart."""
    path: str | None = None
    """File name pattern below ``landing/<portfolio>/``. ``{key}`` stands for the partition's key, so that
    a day's run knows its file; other parts may use ``*``. A URL (``s3://…``, ``sftp://…``): the files are
    fetched from there first."""
    connection: str | None = None
    """Airflow connection: of the bucket or the server that ``path`` is a URL of, or of the database."""
    table: str | None = None
    """Rows of a database: this table (``schema.table``), …"""
    query: str | None = None
    """… or what this ``SELECT`` gives."""
    watermark: str | None = None
    """Column of the table or query that only grows (a sequence, a time of writing): rows above the highest one
    read so far are new."""
    overlap: Annotated[int, Field(ge=0)] | Duration | None = None
    """How far below the watermark rows are read again, as a number or a duration such as ``15m``: for rows that are
    committed later than others with a higher value."""
    batch_rows: int = Field(default=50_000, ge=1)
    """Rows fetched from a database at a time."""
    format: Literal["csv", "parquet"] = "csv"
    """``csv`` covers ``.csv`` and ``.csv.gz``."""
    delimiter: str = ","
    quote: str = '"'
    decimal: str = "."
    thousands: str | None = None
    """Separator of thousands within numbers."""
    encoding: str = "utf-8"
    missing: tuple[str, ...] = ()
    """Texts that stand for no value, such as ``NA`` or ``?``, beside the empty field."""
    columns: dict[str, str | SourceColumn] = Field(default_factory=dict)
    """Our column name → the source's, where the two differ; or what else differs, see :class:`SourceColumn`."""
    simulator: bool = False
    """The built-in simulator writes a day's file when it is missing (demonstration only)."""

    @field_validator("missing", mode="before")
    @classmethod
    def _as_texts(cls, value: Any) -> Any:
        return tuple(str(item) for item in value) if isinstance(value, list | tuple) else value

    @field_validator("delimiter", "quote", "decimal", "thousands")
    @classmethod
    def _is_one_sign(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or not value.isascii()):
            raise ValueError("must be a single ASCII character")
        return value

    @model_validator(mode="after")
    def _is_one_place(self) -> Source:
        places = [name for name in ("path", "table", "query") if getattr(self, name)]
        if len(places) != 1:
            raise ValueError(f"give one of path, table and query, got {' and '.join(places) or 'none'}")
        if self.is_database and self.connection is None:
            raise ValueError(f"{places[0]} needs connection: the Airflow connection of the database")
        if self.watermark is not None and not self.is_database:
            raise ValueError("watermark is for a table or a query")
        if self.overlap is not None and self.watermark is None:
            raise ValueError("overlap is for a source with a watermark")
        if self.is_remote:
            self._require_address()
        if self.path is not None and not self.is_remote and self.path.startswith(("/", "\\")):
            raise ValueError("path is relative to the portfolio's landing folder")
        return self

    def _require_address(self) -> None:
        """Refuse an address of which nobody could say what it names, or where its files would be put."""
        scheme, _, rest = (self.path or "").partition("://")
        place, *parts = rest.split("/")
        if scheme in ("file", "local"):
            raise ValueError("a file of this machine: give path relative to the portfolio's landing folder")
        if ":" in place.rpartition("@")[0]:
            raise ValueError("a password has no place here: put it into the Airflow connection")
        if not place or _varies(place) or not parts or not all(parts):
            raise ValueError(f"write an address such as {scheme}://place/folder/tx_{{key}}.csv*, got {self.path!r}")
        if {".", ".."} & set(parts) or any("**" in part for part in parts):
            raise ValueError(f"neither '.', '..' nor '**' may stand in an address, got {self.path!r}")

    @property
    def is_database(self) -> bool:
        """Whether rows come from a table or a query."""
        return self.path is None

    @property
    def is_remote(self) -> bool:
        """Whether files have to be fetched first."""
        return self.path is not None and "://" in self.path

    @property
    def is_fetched(self) -> bool:
        """Whether something has to be brought into the landing folder before it can be landed."""
        return self.is_database or self.is_remote

    @property
    def local_pattern(self) -> str:
        """Where the source's files lie below the portfolio's landing folder, once they have been fetched."""
        if self.path is None:
            return f"{self.name}/{{key}}.parquet"
        return f"{self.name}/{self.remote_pattern}" if self.is_remote else self.path

    @property
    def remote_folder(self) -> str:
        """The address up to where it varies: ``s3://bucket/in`` of ``s3://bucket/in/day={key}/*.csv``."""
        return (self.path or "").removesuffix(f"/{self.remote_pattern}")

    @property
    def remote_pattern(self) -> str:
        """The rest of the address, from the first part that varies: what tells the source's files apart."""
        parts = (self.path or "").partition("://")[2].split("/")
        first = next((place for place, part in enumerate(parts) if _varies(part)), len(parts) - 1)
        return "/".join(parts[first:])

    @property
    def file_format(self) -> Literal["csv", "parquet"]:
        """Format of the files that are landed; what comes out of a database is written as Parquet."""
        return "parquet" if self.is_database else self.format

    def calls(self, name: str) -> str:
        """What the source calls one of our columns."""
        found = self.columns.get(name)
        if isinstance(found, SourceColumn):
            return found.name or name
        return found or name

    def column(self, name: str, column: Column) -> Column:
        """A column of the portfolio, as this source writes it."""
        found = self.columns.get(name)
        return found.applied_to(column) if isinstance(found, SourceColumn) else column


def _varies(part: str) -> bool:
    return re.search(r"[*?\[{]", part) is not None
