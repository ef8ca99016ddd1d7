"""Finds a portfolio's files in the landing folder. Nothing outside that folder is ever opened for a name."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from fraudops.errors import ContractError, FraudopsError
from fraudops.intake.feeds import transactions_feed
from fraudops.intake.folder import is_unfinished
from fraudops.intake.reading import has_columns
from fraudops.portfolio import Portfolio, Role, Source
from fraudops.workspace import Workspace

_SHOWN = 8


@dataclass(frozen=True)
class FeedFiles:
    """Files to land. Whoever builds one by hand vouches for its paths."""

    transactions: list[Path] = field(default_factory=list)
    labels: list[Path] = field(default_factory=list)
    corrections: list[Path] = field(default_factory=list)
    """Transactions whose rows replace what is stored under their ids: a database says what it says now."""
    dispositions: list[Path] = field(default_factory=list)
    reference: Mapping[str, list[Path]] = field(default_factory=dict)
    """Reference feed → its files."""

    def of(self, dataset: str) -> list[Path]:
        """Files of a feed beside the transactions."""
        said = {"labels": self.labels, "dispositions": self.dispositions}
        return said[dataset] if dataset in said else self.reference.get(dataset, [])


def find_files(
    ws: Workspace, portfolio: Portfolio, key: str | None = None, *, read: FeedFiles | None = None
) -> FeedFiles:
    """The files that match the portfolio's patterns, in the order of their names.

    Parameters
    ----------
    key
        Partition whose files are wanted: it takes the place of ``{key}`` in the patterns. None: every key.
    read
        What was just read of databases; it is added. What was read of them earlier is not looked for: it says
        what the database said then.

    Raises
    ------
    ContractError
        The key is not one, or a file that matches lies outside the landing folder, or the same data lies
        there twice.
    FraudopsError
        No transactions file is there (a retry may find it: files arrive late).
    """
    folder = ws.landing / portfolio.name
    start = _start_of(portfolio, key) if key is not None else None
    if start is not None:
        _simulate_what_is_missing(portfolio, folder, start)
    read = read or FeedFiles()
    files = [source for source in portfolio.landed if not source.is_database]
    found = list(dict.fromkeys(path for source in files for path in _matching(folder, source, key)))
    # A database that has nothing new is no reason to complain.
    may_be_quiet = key is None and len(files) < len(portfolio.landed)
    if not (found or read.transactions or read.corrections or may_be_quiet):
        raise _nothing(portfolio, folder, key)
    if not portfolio.named(Role.ID):
        _refuse_packed_twins(found)
    taken = set(found)
    beside: dict[str, list[Path]] = {}
    for dataset, source in _beside(portfolio):
        here = [] if source.is_database else _matching(folder, source, key)
        beside[dataset] = [*(path for path in here if path not in taken), *read.of(dataset)]
        taken.update(here)
    return _feed_files([*found, *read.transactions], beside, read.corrections)


def named_files(ws: Workspace, portfolio: Portfolio, names: str | Iterable[str]) -> FeedFiles:
    """Files of the landing folder by their names, each of the feed whose pattern it matches (else: transactions).

    Raises
    ------
    ContractError
        A name leads out of the landing folder, or to something that is not a regular file.
    """
    folder = ws.landing / portfolio.name
    wanted = [names] if isinstance(names, str) else list(names)
    paths = [_inside(folder, folder / name) for name in wanted]
    taken = {path for transactions in portfolio.landed for path in _matching(folder, transactions, None)}
    beside: dict[str, list[Path]] = {}
    for dataset, source in _beside(portfolio):
        matching = set(_matching(folder, source, None)) - taken
        beside[dataset] = [path for path in paths if path in matching]
        taken |= matching
    said = {path for found in beside.values() for path in found}
    return _feed_files([path for path in paths if path not in said], beside)


def place_of(folder: Path, path: Path) -> str:
    """Path of a file below the landing folder, with ``/``; the bare name of one that lies elsewhere."""
    root, resolved = folder.resolve(), path.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else path.name


def source_of(portfolio: Portfolio, path: Path, folder: Path) -> Source:
    """The source that a file of transactions belongs to: by its name, or else by the columns it has.

    Parameters
    ----------
    folder
        The portfolio's landing folder; the file may lie elsewhere.

    Raises
    ------
    ContractError
        Its name and its columns fit none of several sources, or fit more than one.
    """
    sources = portfolio.landed
    if len(sources) == 1:
        return sources[0]
    place = Path(place_of(folder, path))
    named = [source for source in sources if _fits(place, _pattern(source, None))]
    fitting = [source for source in named or sources if has_columns(path, transactions_feed(portfolio, source))]
    if len(fitting) == 1:
        return fitting[0]
    if len(named) == 1:
        return named[0]  # its own message says which column is not there
    names = ", ".join(source.name for source in fitting or named or sources)
    raise ContractError(
        f"the file fits {'more than one' if fitting else 'none'} of the sources {names}",
        where=str(path),
        remedy=f"give it a name that matches one of {', '.join(source.local_pattern for source in sources)}",
    )


def key_in_name(portfolio: Portfolio, source: Source, place: str) -> str:
    """The partition that a file's name says, by the place of ``{key}`` in its source's pattern.

    Parameters
    ----------
    place
        Path below the landing folder.

    Raises
    ------
    ContractError
        It says none.
    """
    before, _, after = source.local_pattern.partition("{key}")
    # A key that stands there twice is taken at its word the first time.
    found = re.fullmatch(_as_regex(before) + _KEY + _as_regex(after.replace("{key}", "*")), place)
    try:
        if found is None:
            raise ValueError("nothing in the file's name says when it arrived")
        portfolio.partitioning.start(found["key"])
    except ValueError as error:
        wanted = source.local_pattern.replace("{key}", portfolio.partitioning.example).rstrip("*")
        raise ContractError(str(error), where=place, remedy=f"call it such as {wanted}") from None
    return found["key"]


_KEY = r"(?P<key>\d{4}-\d{2}-\d{2}(?:T\d{2})?)"


def _as_regex(pattern: str) -> str:
    signs = {"*": "[^/]*", "?": "[^/]", "[": "[", "]": "]"}
    return "".join(signs.get(sign) or re.escape(sign) for sign in pattern)


def _beside(portfolio: Portfolio) -> list[tuple[str, Source]]:
    return [(dataset, source) for dataset, source in portfolio.feeds if dataset != "transactions"]


def _feed_files(transactions: list[Path], beside: dict[str, list[Path]], corrections: Sequence[Path] = ()) -> FeedFiles:
    """Files by feed, those beside the transactions taken out of ``beside``."""
    labels, dispositions = beside.pop("labels", []), beside.pop("dispositions", [])
    return FeedFiles(transactions, labels, list(corrections), dispositions, beside)


def _start_of(portfolio: Portfolio, key: str) -> datetime:
    try:
        return portfolio.partitioning.start(key)
    except ValueError as error:
        raise ContractError(str(error), where=portfolio.name) from None


def _simulate_what_is_missing(portfolio: Portfolio, folder: Path, start: datetime) -> None:
    if not any(source.simulator for source in portfolio.transactions):
        return
    # The simulator brings NumPy and its own tables: only portfolios that use it pay for the import.
    from fraudops.intake.simulation import ensure_day

    day: date = start.astimezone(UTC).date()
    ensure_day(folder, day)


def _nothing(portfolio: Portfolio, folder: Path, key: str | None) -> FraudopsError:
    files = [source for source in portfolio.transactions if not source.is_database]
    wanted = " or ".join(repr(_shown_pattern(source, key)) for source in files)
    tables = ", ".join(
        source.table or f"the query of source {source.name!r}"
        for source in portfolio.transactions
        if source.is_database
    )
    said = [f"no file matches {wanted}; the folder holds {_listing(folder)}"] if wanted else []
    said += [f"there are no rows for {key} in {tables}"] if tables else []
    return FraudopsError(
        "; ".join(said),
        where=str(folder),
        remedy="deliver what is missing, or correct transactions in the portfolio's YAML",
    )


def _shown_pattern(source: Source, key: str | None) -> str:
    """What a sender has to match: the address where files are fetched from one."""
    return (
        (source.path or "").replace("{key}", "*" if key is None else key) if source.is_remote else _pattern(source, key)
    )


def _pattern(source: Source, key: str | None) -> str:
    return source.local_pattern.replace("{key}", "*" if key is None else glob.escape(key))


def _fits(place: Path, pattern: str) -> bool:
    return len(place.parts) == pattern.count("/") + 1 and place.match(pattern)


def _matching(folder: Path, source: Source | None, key: str | None) -> list[Path]:
    if source is None:
        return []
    with _permitted(folder):
        if not folder.is_dir():
            return []
        with os.scandir(folder):
            pass  # a pattern finds nothing in a folder that may not be read, and says nothing either
        pattern = _pattern(source, key)
        found = [path for path in sorted(folder.glob(pattern)) if not is_unfinished(path.name, pattern)]
        return [_inside(folder, path) for path in found if not path.is_dir()]


@contextmanager
def _permitted(folder: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError:
        raise ContractError(
            "the folder may not be read",
            where=str(folder),
            remedy="give the user that runs fraudops the right to read and to enter it",
        ) from None


def _inside(folder: Path, path: Path) -> Path:
    """The path, links resolved; refused where that leads out of the landing folder."""
    if not path.name.isprintable():
        raise ContractError(
            f"a file's name holds signs that cannot be shown: {path.name!r}",
            where=str(folder),
            remedy="rename it to letters, digits, '.', '-' and '_'",
        )
    try:
        resolved, root = path.resolve(), folder.resolve()
        exists = resolved.exists()
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise
        # A link that leads to itself, or a name that no file can have.
        raise ContractError(
            f"{path.name[:80]!r} leads nowhere", where=str(folder), remedy="copy the file itself there"
        ) from None
    if not resolved.is_relative_to(root):
        raise ContractError(
            f"{path.name!r} leads out of the landing folder",
            where=str(folder),
            remedy="copy the file itself there",
        )
    if not exists:
        raise ContractError(
            f"there is no {path.name!r}; the folder holds {_listing(folder)}",
            where=str(folder),
            remedy="give the name of a file in the landing folder",
        )
    if not resolved.is_file():
        raise ContractError(f"{path.name!r} is not a regular file", where=str(folder), remedy="deliver a regular file")
    return resolved


def _listing(folder: Path) -> str:
    """What lies in a folder, for a message."""
    if not folder.is_dir():
        return "nothing, because it does not exist"
    with _permitted(folder):
        names = sorted(_shown(path.name) for path in folder.iterdir() if not path.name.startswith("."))
    if not names:
        return "nothing"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _shown(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _refuse_packed_twins(found: list[Path]) -> None:
    """Without transaction ids the rows of ``a.csv`` and ``a.csv.gz`` would count twice, unseen."""
    names = {path.name for path in found}
    for name in sorted(names):
        if f"{name}.gz" in names:
            raise ContractError(
                f"{name} and {name}.gz lie side by side, and rows without an id cannot be told apart",
                where=str(found[0].parent),
                remedy="remove one of them",
            )
