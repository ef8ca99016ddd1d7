"""A folder for rows on their way into the store, gone with its landing: at its end, or when the next one finds it.

A process that was killed cannot delete what it wrote, and rows hold names. A lock that dies with the process tells
which folders nobody needs any more.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fraudops.store.files import explained

_PREFIX = "fraudops-landing-"
_LOCK = "in-use"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder for its owner alone; those of landings that were killed are deleted first.

    Raises
    ------
    StorageError
        There is no room for temporary files.
    """
    place = Path(tempfile.gettempdir())
    _delete_left_over(place)
    with explained(place):
        created = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
    with created as name, (Path(name) / f"{_LOCK}.new").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Under its name only when it is locked: who looks in between must not take the folder for a dead one's.
        Path(lock.name).rename(Path(name) / _LOCK)
        yield Path(name)


def _delete_left_over(place: Path) -> None:
    for path in place.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            with path.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # In use, gone meanwhile, or another user's.
            continue
        shutil.rmtree(path.parent, ignore_errors=True)
