"""A landing folder seen from outside: names, sizes, times of writing. No file is opened, nothing heavy imported.

Whoever waits for files does so in a process that does a thousand other things, and must not read them there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

Mark = tuple[int, int]
"""Size and time of writing in nanoseconds: while both are the same, so is the file."""

_UNFINISHED = (
    ".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".inprogress", ".uploading",
    ".writing", ".swp", "~",
)  # fmt: skip


def is_unfinished(name: str, pattern: str) -> bool:
    """Whether a file's name says that its sender is still writing it: a leading dot, or a usual ending."""
    return name.startswith(".") or any(
        name.lower().endswith(ending) and not pattern.endswith(ending) for ending in _UNFINISHED
    )


def look(folder: Path, patterns: Iterable[str]) -> dict[str, Mark]:
    """The files that match one of some patterns: path below the folder → mark.

    Parameters
    ----------
    patterns
        Glob patterns below the folder.

    Raises
    ------
    PermissionError
        The folder may not be read; a pattern alone would find nothing and say nothing.
    """
    if not folder.is_dir():
        return {}
    with os.scandir(folder):
        pass
    found: dict[str, Mark] = {}
    for pattern in patterns:
        for path in folder.glob(pattern):
            name = path.relative_to(folder).as_posix()
            if name not in found and not is_unfinished(path.name, pattern):
                try:
                    state = path.stat()
                except OSError:
                    continue  # gone since, or a link that leads nowhere
                if stat.S_ISREG(state.st_mode):
                    found[name] = (state.st_size, state.st_mtime_ns)
    return dict(sorted(found.items()))


class Settling:
    """Files on their way in: one is ready when it has been the same for long enough.

    Parameters
    ----------
    known
        Path → mark of the files with which there is nothing to do.
    settle
        Seconds without a change after which a file is ready.
    """

    def __init__(self, known: Mapping[str, Mark], settle: float) -> None:
        self._known = {name: tuple(mark) for name, mark in known.items()}
        self._settle = settle
        self._since: dict[str, tuple[Mark, float]] = {}

    def ready(self, seen: Mapping[str, Mark], now: float) -> list[str]:
        """The files that are ready; none as long as others settle that came about the same time.

        Parameters
        ----------
        seen
            Result of :func:`look`.
        now
            Seconds of a clock that never goes back.
        """
        fresh = {name: mark for name, mark in seen.items() if self._known.get(name) != mark}
        before = self._since
        self._since = {
            name: before[name] if name in before and before[name][0] == mark else (mark, now)
            for name, mark in fresh.items()
        }
        waited = {name: now - since for name, (_, since) in self._since.items()}
        done = [name for name, seconds in waited.items() if seconds >= self._settle]
        # What is sent together is taken together; but nobody waits for a file that never ends.
        if len(done) < len(waited) and all(waited[name] < 2 * self._settle for name in done):
            return []
        return sorted(done)
