"""Writing a file whole or not at all, and saying what to do where a disk takes nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from upath import UPath

from fraudops.errors import StorageError

_CAUSES = {
    errno.ENOSPC: ("the disk is full", "make room on it ('df -h' shows how much there is)"),
    errno.EDQUOT: ("the disk quota is used up", "make room, or have the quota raised"),
    errno.EROFS: (
        "the disk can only be read",
        "mount it for writing; a disk with errors becomes read-only by itself: read the kernel's log",
    ),
    errno.EACCES: ("this user may not write there", "give the user that runs the tasks the right to"),
    errno.EPERM: ("this user may not write there", "give the user that runs the tasks the right to"),
    errno.EIO: ("the disk reports an error", "read the kernel's log, replace the disk, restore from the backup"),
    errno.ENOTCONN: ("the network disk is away", "mount it again"),
    errno.ESTALE: ("the network disk is away", "mount it again"),
}
_AGAIN = "then run the task again: nothing is half written"


def is_local(path: UPath) -> bool:
    """Whether a path lies in a folder of this machine, and not in a bucket."""
    return path.protocol in ("", "file", "local")


def put_whole(path: UPath, content: bytes) -> None:
    """Write a whole file or nothing: a bucket does so by itself, a folder by a rename.

    Once this has returned the file survives a power failure.

    Raises
    ------
    StorageError
        The disk does not take it.
    """
    if not is_local(path):
        path.write_bytes(content)
        return
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(str(temporary), str(path))  # noqa: PTH105 - UPath.replace differs between backends
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _settle_folder(str(path.parent))


@contextlib.contextmanager
def explained(path: UPath | Path) -> Iterator[None]:
    """Turn what a disk says within into an error that says what to do; a missing file stays a missing file.

    Raises
    ------
    StorageError
        The disk is full, read-only, broken, or not ours to write to.
    """
    try:
        yield
    except OSError as error:
        cause = _CAUSES.get(error.errno or 0)
        if cause is None:
            raise
        what, remedy = cause
        raise StorageError(what, where=str(path), remedy=f"{remedy}, {_AGAIN}") from error


def _settle_folder(folder: str) -> None:
    """A rename survives a power failure only once the folder itself is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
