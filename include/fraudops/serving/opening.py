"""Opens a service: its portfolios, keys, champions and whoever decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from fraudops.errors import ConfigurationError
from fraudops.intake.single import RowReader
from fraudops.portfolio import Portfolio
from fraudops.serving.api_keys import KeyRing
from fraudops.serving.champions import FollowedChampions, short_engine
from fraudops.serving.idempotency import InDatabase
from fraudops.serving.limits import Limits
from fraudops.serving.metrics import Metrics
from fraudops.serving.office import Office
from fraudops.serving.records import find_decision
from fraudops.serving.service import Service
from fraudops.serving.streams.deciding import StreamDesk
from fraudops.workspace import Workspace


def served(portfolios: Mapping[str, Portfolio], names: Sequence[str] = ()) -> dict[str, Portfolio]:
    """The portfolios that are scored at once; of them, those that are named.

    Raises
    ------
    ConfigurationError
        There are none, or one that is named is not among them.
    """
    enabled = {name: one for name, one in portfolios.items() if one.serving.enabled}
    missing = [name for name in names if name not in enabled]
    if missing or not enabled:
        raise ConfigurationError(
            f"{missing[0]} is not scored at once" if missing else "no portfolio is scored at once",
            where="serving.enabled",
            remedy="set it to true in the portfolio's YAML",
        )
    return {name: one for name, one in enabled.items() if not names or name in names}


@contextmanager
def consuming(ws: Workspace, portfolios: Mapping[str, Portfolio], folder: Path) -> Iterator[StreamDesk]:
    """Whoever decides on what a stream brings, until the block ends.

    While the database is away nothing is decided: unlike somebody who waits for an answer, a stream keeps what it has.
    """
    patient = {name: _without_spool(one) for name, one in portfolios.items()}
    champions = FollowedChampions(ws, patient, KeyRing(), folder)
    office = Office(ws, patient, champions.current)
    with _at_work(champions, office):
        yield StreamDesk({name: RowReader(one, ws.token_keys) for name, one in patient.items()}, office.decide_now)


@contextmanager
def _at_work(champions: FollowedChampions, office: Office) -> Iterator[None]:
    """Start both, and stop them in the other order: what waits is decided by the champion of its time."""
    champions.start()
    office.start()
    try:
        yield
    finally:
        office.stop()
        champions.stop()


def _without_spool(portfolio: Portfolio) -> Portfolio:
    refusing = portfolio.serving.model_copy(update={"without_database": "refuse"})
    return portfolio.model_copy(update={"serving": refusing})


@contextmanager
def opened(ws: Workspace, portfolios: Mapping[str, Portfolio], folder: Path, limits: Limits) -> Iterator[Service]:
    """A service that works until the block ends; what waits then is decided first.

    Parameters
    ----------
    folder
        Where it keeps what it has to know while the database is away.
    """
    engine, keys, metrics = short_engine(ws.database_url), KeyRing(), Metrics()
    answers = InDatabase(engine)
    champions = FollowedChampions(ws, portfolios, keys, folder, prune=answers.prune)
    office = Office(ws, portfolios, champions.current, watch=lambda taken: metrics.batch.observe(taken.items))

    def degraded() -> tuple[str, ...]:
        away = champions.degraded()
        return away if office.database_there or "database" in away else ("database", *away)

    try:
        with _at_work(champions, office):
            yield Service(
                portfolios=portfolios,
                readers={name: RowReader(one, ws.token_keys) for name, one in portfolios.items()},
                scorer=office,
                champions=champions,
                keys=keys,
                answers=answers,
                degraded=degraded,
                find_decision=partial(find_decision, engine),
                limits=limits,
                metrics=metrics,
                warm=lambda: office.warm,
            )
    finally:
        engine.dispose()
