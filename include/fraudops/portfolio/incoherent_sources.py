"""What in where transactions and labels come from does not go together."""

from __future__ import annotations

from collections.abc import Iterator

from fraudops.portfolio.columns import Role
from fraudops.portfolio.problems import Path, Problem, choose_of
from fraudops.portfolio.sections import Sections
from fraudops.portfolio.sources import Source

_REPORT_COLUMNS = {
    "source": frozenset({"transaction_id", "reported_at", "label"}),
    "dispositions": frozenset({"transaction_id", "reported_at", "finding", "by"}),
}


def incoherent_sources(found: Sections) -> Iterator[Problem]:
    """Nothing that says what was fraud, and files or tables that could not be read as described."""
    yield from _answer(found)
    yield from _sources(found)


def _answer(found: Sections) -> Iterator[Problem]:
    labels = found.labels
    if labels is None or not found.all_columns:
        return
    if not labels.source and not found.named(Role.LABEL):
        message = "neither a column with role 'label' nor labels.source says what was fraud"
        remedy = 'add to columns: label: {role: label, positive: ["1"]}, and map it to the column of the file'
        yield Problem(("labels",), message, remedy=remedy)
    if labels.source and not found.named(Role.ID):
        message = "a feed of reports needs a column with role 'id' to refer to"
        yield Problem(("labels", "source"), message, remedy="say which column names the transaction")
    if labels.dispositions and not labels.source:
        message = "dispositions stand beside a feed of reports, and there is none"
        remedy = "give labels.source; where investigators' findings are the only labels, that is their feed"
        yield Problem(("labels", "dispositions"), message, remedy=remedy)
    if labels.unreported == "unknown" and not labels.source:
        message = "a label column says of every transaction what it was: none is unreported"
        yield Problem(("labels", "unreported"), message, "'unknown'", "give labels.source, or leave it out")


def _sources(found: Sections) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, source in enumerate(found.transactions):
        path: Path = ("transactions", place)
        if source.name in seen:
            yield Problem((*path, "name"), f"another source is called {source.name!r}", remedy="give each its own name")
        seen.add(source.name)
        for name, column in found.columns.items():
            try:
                source.column(name, column)
            except ValueError as error:
                yield Problem((*path, "columns", name), _reason(error))
        if found.names is not None:
            yield from _mapped(path, source, found.names | _parts(found))
        yield from _simulated(path, source)
        if source.path is not None and not source.is_remote and ".." in source.path.split("/"):
            message = "the path leads out of the landing folder"
            yield Problem((*path, "path"), message, repr(source.path), "name files below it")
        if source.is_database:
            yield from _read_of_database(path, source, found)
    if found.labels is not None:
        folders = {source.name: "of the transactions" for source in found.transactions if source.is_fetched}
        for key, columns in _REPORT_COLUMNS.items():
            feed: Source | None = getattr(found.labels, key)
            if feed is not None:
                yield from _reports(("labels", key), feed, set(columns), folders)


def _reports(path: Path, source: Source, columns: set[str], folders: dict[str, str]) -> Iterator[Problem]:
    """What is said about transactions; ``folders`` gets the feed's name, which is its folder in the landing folder."""
    if source.is_fetched:
        if source.name in folders:
            message = f"{source.name!r} is the name of a source {folders[source.name]}"
            yield Problem((*path, "name"), message, remedy="give it a name of its own")
        folders[source.name] = "of the labels"
    yield from _mapped(path, source, columns)
    yield from _simulated(path, source)


def _parts(found: Sections) -> set[str]:
    """What columns are put together from: a source may call that otherwise as well."""
    names = {part for column in found.columns.values() for part in column.is_made_of}
    for source in found.transactions:
        for name, column in found.columns.items():
            try:
                names |= set(source.column(name, column).is_made_of)
            except ValueError:
                continue
    return names


def _mapped(path: Path, source: Source, known: set[str]) -> Iterator[Problem]:
    for name in source.columns:
        if name not in known:
            message = f"none of our columns is called {name!r} (on the left stands our name, on the right the file's)"
            yield Problem((*path, "columns", name), message, remedy=choose_of(name, known))


def _simulated(path: Path, source: Source) -> Iterator[Problem]:
    if source.simulator and source.is_fetched:
        yield Problem((*path, "simulator"), f"source {source.name!r} cannot be simulated: it is not a local file")


def _read_of_database(path: Path, source: Source, found: Sections) -> Iterator[Problem]:
    for name in found.named(Role.TIME):
        try:
            column = source.column(name, found.columns[name])
        except ValueError:
            continue  # told already
        if column.parts or column.rows_per_day or column.format:
            message = "a database gives the time as one column: a timestamp, or an offset from an origin"
            yield Problem((*path, "columns", name), message, remedy="make one in a query")
    if source.watermark is not None and found.all_columns and not found.named(Role.ID):
        message = "needs a column with role 'id': without one a row that is read again counts twice"
        yield Problem((*path, "watermark"), message, repr(source.watermark), "the sequence itself will do as the id")


def _reason(error: ValueError) -> str:
    """The sentence itself, without the heading that pydantic puts above it."""
    errors = getattr(error, "errors", None)
    return errors()[0]["msg"].removeprefix("Value error, ") if callable(errors) else str(error)
