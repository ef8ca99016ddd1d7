"""``fraudops serve``: the scoring service."""

from __future__ import annotations

from typing import Annotated

import typer

from fraudops.settings import Settings
from fraudops.workspace import Workspace


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8090,
    portfolio: Annotated[
        list[str] | None, typer.Option("--portfolio", "-p", help="Only this one (default: all that have it enabled).")
    ] = None,
    rate: Annotated[int, typer.Option(help="Transactions a second for a key that has no rate of its own.")] = 5_000,
    timeout: Annotated[float, typer.Option(help="Seconds for a request.")] = 5.0,
    leave: Annotated[float, typer.Option(help="Seconds from 'not ready' to taking nothing more, when it stops.")] = 2.0,
) -> None:
    """Score transactions as they happen, over HTTP; see docs/scoring-service.md."""
    import gc

    from fraudops.portfolio import load_all
    from fraudops.serving.limits import Limits
    from fraudops.serving.logs import configure
    from fraudops.serving.opening import opened, served
    from fraudops.serving.server import run

    settings = Settings.from_environment()
    portfolios = served(load_all(settings.portfolios), portfolio or ())
    configure()
    limits = Limits(per_second=rate, seconds=timeout)
    with opened(Workspace.open(settings), portfolios, settings.state / "serving", limits) as service:
        # What is there now stays. Timelines are many small objects: looking through all of them, again and again, for
        # what nobody holds would take a third of the time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
        run(service, host=host, port=port, leave=leave)
