"""The process: uvicorn, and a stop that loses no request."""

from __future__ import annotations

import asyncio
import signal
from types import FrameType

import uvicorn

from fraudops.serving.app import create_app
from fraudops.serving.service import Service

_FINISHING = 20
"""Seconds for requests that are being answered when nothing new is taken any more."""


class _Server(uvicorn.Server):
    """Says first that it is not ready, answers for a while yet, and only then stops; ends with 0."""

    def __init__(self, config: uvicorn.Config, service: Service, leave: float) -> None:
        super().__init__(config)
        self._service, self._leave = service, leave

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal takes leave, the second one ends at once."""
        if self._service.stopping or sig == signal.SIGINT:
            self.should_exit = True
        self._service.stopping = True
        asyncio.get_running_loop().call_later(self._leave, self._exit)

    def _exit(self) -> None:
        self.should_exit = True


def run(service: Service, *, host: str, port: int, leave: float = 2.0) -> None:
    """Serve until a signal comes.

    Parameters
    ----------
    leave
        Seconds between "not ready any more" and the moment from which nothing is taken: in it whoever distributes
        requests learns that it should send none here.
    """
    config = uvicorn.Config(
        create_app(service),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=_FINISHING,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=16_384,
        lifespan="off",
        ws="none",
    )
    _Server(config, service, leave).run()
