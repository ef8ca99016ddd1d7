"""What whoever delivered a file should know of it, beside the counts: sentences for the result of a landing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from fraudops.intake.merging import Duplicate, Kind
from fraudops.intake.partitions import count_rows_of
from fraudops.intake.quarantine import Archive
from fraudops.intake.versions import Delivery

_SHOWN = 5


def version_remarks(name: str, delivery: Delivery, partitions: int) -> Iterator[str]:
    """Remarks on a file that is another version of one that was landed before.

    Parameters
    ----------
    partitions
        In how many of them the rows of the earlier version gave way.
    """
    if delivery.is_old:
        yield f"{name} holds bytes that other versions of it had replaced: they are in force again"
    if partitions:
        yield f"{name} came before with other bytes: its rows took the place of those in {_parts(partitions)}"


def left_behind_remarks(name: str, archive: Archive, previous: str, here: set[str]) -> Iterator[str]:
    """Remark on rows of a file's version before, where the file has none now: they stay.

    Parameters
    ----------
    archive
        That of the file.
    previous
        SHA-256 of the version before.
    here
        Partitions that the file has rows in, usable or not.
    """
    store, portfolio = archive.store, archive.portfolio
    before = Archive(store, portfolio, previous).summary().get("partitions", {})
    counts = {key: count_rows_of(store, portfolio, key, previous) for key in sorted(before.keys() - here)}
    left = {key: count for key, count in counts.items() if count}
    if left:
        yield (
            f"{name} has no row in {_parts(len(left))} in which its version before had {_rows(sum(left.values()))} "
            f"({_some(list(left))}): they stay as they are"
        )


def conflict_remarks(name: str, duplicates: Sequence[Duplicate]) -> Iterator[str]:
    """Remark on rows whose ids other files have brought with other values."""
    conflicts = [item.holder for item in duplicates if item.kind is Kind.CONFLICT and item.holder != name]
    if conflicts:
        yield (
            f"{name} has other values for {_rows(len(conflicts))} of {_some(list(Counter(conflicts)))}, which stay "
            "as they are: deliver a new version under that name, or land this file with corrections"
        )


def elsewhere_remarks(name: str, rows: int) -> Iterator[str]:
    """Remark on rows of a partition's own file that belong to other partitions, and were never landed there."""
    if rows:
        yield f"{name} has {_rows(rows)} of partitions that were not asked for: land the file without limits"


def report_remarks(name: str, delivery: Delivery) -> Iterator[str]:
    """Remark on a file of reports that came before with other bytes: nothing that was said is unsaid."""
    if delivery.is_new and delivery.previous is not None:
        yield (
            f"{name} came before with other bytes: what it reported then stays reported; "
            "to take a report back, report the opposite at a later time"
        )


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"


def _parts(number: int) -> str:
    return "1 partition" if number == 1 else f"{number:,} partitions"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
