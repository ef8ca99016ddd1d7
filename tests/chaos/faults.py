"""What goes wrong in a child: at the n-th boundary it is killed, or something that it needs is.

Boundaries are the points between which a crash makes a difference: before and after a file is forced to the disk,
renamed or deleted, a statement runs, a transaction commits, a line goes to the mail server or comes from it. They are
seen from outside, by wrapping the functions of the standard library in the child; the code that is tested has no hook.
"""

from __future__ import annotations

import errno
import os
import signal
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

Kind = Literal["process", "moment", "database", "sink", "full disk", "read-only store"]
Cross = Callable[[str], None]

FILES = ("mkdir", "fsync", "rename", "delete")


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    Attributes
    ----------
    at
        Boundary at which it happens, counted from 1.
    seconds
        Instead of a boundary: this long after the beginning.
    """

    kind: Kind
    at: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        when = f"after {self.seconds:.2f} s" if self.kind == "moment" else f"at boundary {self.at}"
        return f"{self.kind} {when}"


def watch(cross: Cross) -> None:
    """Call ``cross`` at every boundary of this process, with what it is."""
    for name, what in (("fsync", "fsync"), ("replace", "rename"), ("unlink", "delete"), ("mkdir", "mkdir")):
        setattr(os, name, _around(getattr(os, name), what, cross))
    event.listen(Engine, "before_cursor_execute", lambda *_: cross("before statement"))
    event.listen(Engine, "after_cursor_execute", lambda *_: cross("after statement"))
    event.listen(Engine, "commit", lambda *_: cross("before commit"))
    event.listen(Session, "after_commit", lambda *_: cross("after commit"))
    for name in ("send", "getreply"):
        setattr(smtplib.SMTP, name, _around(getattr(smtplib.SMTP, name), f"smtp {name}", cross))


def _around(function: Callable[..., Any], what: str, cross: Cross) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **named: Any) -> Any:
        cross(f"before {what}")
        result = function(*arguments, **named)
        cross(f"after {what}")
        return result

    return wrapped


def kill_at(number: int) -> Cross:
    """End this process at a boundary, as the kernel would."""
    count = 0

    def cross(what: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return cross


def ask_at(number: int, tell: int, answer: int) -> Cross:
    """Tell the parent at a boundary, and go on when it answers: it breaks something else meanwhile."""
    count = 0

    def cross(what: str) -> None:
        nonlocal count
        count += 1
        if count == number:
            os.write(tell, b"!")
            os.read(answer, 1)

    return cross


def refuse_files_from(number: int, error: int) -> Cross:
    """From a boundary on no file can be made any more; deleting works, as it does on a full disk."""
    count = 0

    def cross(what: str) -> None:
        nonlocal count
        count += 1
        writes = what in ("before mkdir", "before fsync") or (error == errno.EROFS and what == "before rename")
        if count >= number and writes:
            raise OSError(error, os.strerror(error))

    return cross
