"""``fraudops consume``: transactions from a stream."""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import Annotated

import typer

from fraudops.settings import Settings
from fraudops.workspace import Workspace


def consume(
    stream: Annotated[str, typer.Argument(help="Name of the stream.")],
    url: Annotated[
        str, typer.Option(envvar="FRAUDOPS_STREAM_URL", help="Address of the Redis or Valkey server.")
    ] = "redis://127.0.0.1:6379/0",
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Of entries that name none.")] = "",
    group: Annotated[str, typer.Option(help="Group of consumers; each entry is for one of the group.")] = "fraudops",
    consumer: Annotated[str, typer.Option(help="This consumer's name (default: host and process).")] = "",
    answers: Annotated[str, typer.Option(help="Stream that the decisions are written to; none: only the record.")] = "",
    batch: Annotated[int, typer.Option(min=1, max=5_000, help="Entries that are decided together at most.")] = 500,
    idle: Annotated[float, typer.Option(min=1, help="Seconds after which a silent consumer's entries are taken.")] = 60,
    until_empty: Annotated[bool, typer.Option(help="End when there is nothing more to read.")] = False,
) -> None:
    """Decide on the transactions of a Redis or Valkey stream, at least once each; see docs/streams.md."""
    from fraudops.cli.console import out
    from fraudops.portfolio import load_all
    from fraudops.serving.logs import configure
    from fraudops.serving.opening import consuming, served
    from fraudops.serving.streams.consuming import Consumer
    from fraudops.serving.streams.valkey import ValkeyStream

    settings = Settings.from_environment()
    portfolios = served(load_all(settings.portfolios), [portfolio] if portfolio else ())
    usual = portfolio or (next(iter(portfolios)) if len(portfolios) == 1 else "")
    source = ValkeyStream(
        url, stream, group=group, consumer=consumer or f"{socket.gethostname()}-{os.getpid()}", idle=idle
    )
    source.join()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    configure()
    with consuming(Workspace.open(settings), portfolios, settings.state / "serving") as desk:
        reader = Consumer(source, desk, usual, answers=answers, most=batch)
        reader.run(stop, until_empty=until_empty)
    source.close()
    counts = reader.counts
    decisions = ", ".join(f"{count:,} {name}" for name, count in sorted(counts.by_decision.items()))
    out.print(f"{counts.decided:,} decided{f' ({decisions})' if decisions else ''}, {counts.buried:,} put aside")
