"""The database that a command works with: the local stack's own, which it starts where it is down, or another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fraudops.stack.lifecycle import Stack


@contextmanager
def database_of(stack: Stack, database_url: str | None, *, alone: bool) -> Iterator[bool]:
    """The database; yields whether it is the local stack's own.

    Parameters
    ----------
    alone
        Whether nothing else of the local stack may run meanwhile.
    """
    if database_url != stack.database_url:
        yield False
        return
    with stack.database(alone=alone):
        yield True
