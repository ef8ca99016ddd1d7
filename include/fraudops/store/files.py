"""Writing a file whole or not at all."""

from __future__ import annotations

import os
import secrets

from upath import UPath


def is_local(path: UPath) -> bool:
    """Whether a path lies in a folder of this machine, and not in a bucket."""
    return path.protocol in ("", "file", "local")


def put_whole(path: UPath, content: bytes) -> None:
    """Write a whole file or nothing: a bucket does so by itself, a folder by a rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not is_local(path):
        path.write_bytes(content)
        return
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}"
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(str(temporary), str(path))  # noqa: PTH105 - UPath.replace differs between backends
    finally:
        if temporary.exists():
            temporary.unlink()
