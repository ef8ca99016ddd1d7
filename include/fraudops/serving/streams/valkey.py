"""A Redis or Valkey stream, as a group of consumers reads it.

An entry has the field ``transaction``, a JSON object, and may have ``portfolio``. What a consumer has read and not
acknowledged stays with the group; when it is silent for long enough another one takes it over. So every entry is
decided at least once, and since a transaction has one decision, ever, exactly one comes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fraudops.errors import ConfigurationError

_REMEDY = "install fraudops with the extra 'stream': pip install 'fraudops[stream]'"


@dataclass(frozen=True)
class Entry:
    """One entry of the stream.

    Attributes
    ----------
    id
        As the server gave it.
    fields
        As they were written.
    deliveries
        How often it was handed out, this time included.
    """

    id: str
    fields: Mapping[str, str]
    deliveries: int = 1


class ValkeyStream:
    """A stream, one of its groups, and one consumer of that.

    Every method raises ``ConnectionError`` where the server cannot be reached.

    Parameters
    ----------
    name
        The stream; what cannot be used goes to ``<name>:dead``.
    idle
        Seconds after which what a silent consumer has read is another's.
    """

    def __init__(self, url: str, name: str, *, group: str, consumer: str, idle: float = 60.0) -> None:
        self._server = _connect(url)
        self.name, self.group, self.consumer = name, group, consumer
        self.dead = f"{name}:dead"
        self._idle = int(idle * 1000)
        self._place = "0-0"

    def join(self) -> None:
        """Make the group where it is not there yet; it begins with the stream's first entry."""
        from valkey.exceptions import ResponseError

        with _reached():
            try:
                self._server.xgroup_create(self.name, self.group, id="0", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    def read(self, most: int, wait: float) -> list[Entry]:
        """Entries that are this consumer's now: first what silent consumers left, then new ones.

        Parameters
        ----------
        wait
            Seconds to wait for new ones where there are none.
        """
        with _reached():
            left = self._left_behind(most)
            if left:
                return left
            told = self._server.xreadgroup(
                self.group, self.consumer, {self.name: ">"}, count=most, block=max(1, int(wait * 1000))
            )
        return [Entry(number, fields) for _, entries in told or [] for number, fields in entries]

    def done(self, ids: Iterable[str]) -> None:
        """Acknowledge: these are not handed out again."""
        some = list(ids)
        if some:
            with _reached():
                self._server.xack(self.name, self.group, *some)

    def bury(self, entry: Entry, reason: str) -> None:
        """Put an entry that cannot be used aside, with the reason, and acknowledge it: both or neither."""
        with _reached(), self._server.pipeline(transaction=True) as both:
            about = {"reason": reason, "entry": entry.id, "group": self.group, "deliveries": str(entry.deliveries)}
            both.xadd(self.dead, {**entry.fields, **about})
            both.xack(self.name, self.group, entry.id)
            both.execute()

    def answer(self, stream: str, answers: Iterable[Mapping[str, str]], most: int) -> None:
        """Write answers to another stream, of which about the last ``most`` are kept."""
        with _reached(), self._server.pipeline(transaction=False) as pipe:
            for fields in answers:
                pipe.xadd(stream, dict(fields), maxlen=most, approximate=True)
            pipe.execute()

    def waiting(self) -> dict[str, int]:
        """How many entries are read and not acknowledged, and how many nobody has read; −1 where it cannot be told."""
        with _reached():
            groups = self._server.xinfo_groups(self.name)
        for found in groups:
            if found["name"] == self.group:
                lag = found.get("lag")
                return {"pending": int(found["pending"]), "unread": -1 if lag is None else int(lag)}
        return {"pending": 0, "unread": -1}

    def close(self) -> None:
        """Close the connection; what was read and not acknowledged waits for the others."""
        self._server.close()

    def _left_behind(self, most: int) -> list[Entry]:
        """What others have read and not acknowledged for too long, and what this one had before it was restarted."""
        place, entries, *_ = self._server.xautoclaim(
            self.name, self.group, self.consumer, self._idle, start_id=self._place, count=most
        )
        self._place = place
        # What was deleted from the stream meanwhile has no fields: there is nothing left to decide.
        there = {number: fields for number, fields in entries if fields}
        if not there:
            return []
        pending = self._server.xpending_range(
            self.name, self.group, min=min(there, key=_order), max=max(there, key=_order), count=10 * most
        )
        times = {item["message_id"]: int(item["times_delivered"]) for item in pending}
        return [Entry(number, fields, times.get(number, 2)) for number, fields in there.items()]


def _order(number: str) -> tuple[int, int]:
    moment, _, count = number.partition("-")
    return int(moment), int(count or 0)


@contextmanager
def _reached() -> Iterator[None]:
    """Tell what the library raises of a lost connection in Python's own words."""
    from valkey import exceptions

    try:
        yield
    except (exceptions.ConnectionError, exceptions.TimeoutError) as error:
        raise ConnectionError(str(error)) from error


def _connect(url: str) -> Any:
    try:
        from valkey import Valkey
    except ImportError:
        raise ConfigurationError("the library 'valkey' is not installed", where="streams", remedy=_REMEDY) from None
    try:
        return Valkey.from_url(url, decode_responses=True, socket_timeout=30, health_check_interval=30)
    except ValueError as error:
        raise ConfigurationError(
            f"the address of the stream cannot be used: {error}", where="--url", remedy="write redis://host:6379/0"
        ) from None
