"""Free ports on the loopback interface."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass

from fraudops.errors import FraudopsError

HOST = "127.0.0.1"
DEFAULT_PORT = 8080
SCORING_PORT = 8090
_SPAN = 50


@dataclass(frozen=True)
class Ports:
    """Where the stack listens, on the loopback interface only."""

    ui: int
    mail: int
    scoring: int = SCORING_PORT

    @property
    def address(self) -> str:
        """Address of the Airflow UI."""
        return f"http://{HOST}:{self.ui}"

    @property
    def scoring_address(self) -> str:
        """Address of the scoring service."""
        return f"http://{HOST}:{self.scoring}"


def is_free(port: int) -> bool:
    """Whether a server could listen on a loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a server that has just ended do not block its successor.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def first_free(preferred: Iterable[int | None]) -> int:
    """The first of the preferred ports that is free, else the next free one after the last of them.

    Raises
    ------
    FraudopsError
        There is none within fifty ports.
    """
    wanted = [port for port in preferred if port is not None]
    for port in (*wanted, *range(wanted[-1] + 1, min(wanted[-1] + _SPAN, 65_536))):
        if is_free(port):
            return port
    raise FraudopsError(
        "no free port", where=f"{HOST}:{wanted[-1]} to {wanted[-1] + _SPAN}", remedy="give one with --port"
    )


def any_free() -> int:
    """A free port that the system chooses."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
