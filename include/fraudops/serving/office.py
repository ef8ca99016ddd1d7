"""Where all portfolios' desks stand: decides for who asks now, and sees to what follows.

One thread decides (:class:`~fraudops.serving.batcher.Batcher`), another one follows up. What is decided is answered
before it is followed up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from fraudops.decisions.immediate import Arrival, Champion, Conflict, Decided, Desk
from fraudops.evaluation.costs import ALLOW
from fraudops.online.recent import recent
from fraudops.portfolio import Portfolio
from fraudops.serving.batcher import Batcher, Taken
from fraudops.serving.link import DatabaseAwayError, Link
from fraudops.workspace import Workspace

log = logging.getLogger(__name__)

_WARMED = 20_000
"""Transactions of the store whose entities are remembered before the service calls itself ready."""
_WARMED_AT_ONCE = 50
"""Of these: whoever asks meanwhile waits no longer than for so many."""
_EVERY = 1.0
"""Seconds between two looks at what there is to follow up."""

FollowUp = Callable[[Workspace, Portfolio], object]


class NoChampionError(Exception):
    """No model decides for this portfolio yet."""


class Office:
    """Decides on transactions of the portfolios that are scored at once.

    Parameters
    ----------
    portfolios
        Name → portfolio.
    champion
        Who decides for a portfolio now; None while nobody does.
    follow_up
        What is done a second or so after decisions were made (default: alerts, notices and cases, see
        :func:`fraudops.cases.following.follow_up`).
    seed
        What is done when it begins (default: :func:`fraudops.online.seeding.seed`).
    spool
        Folder of what is decided without a database (default: in ``FRAUDOPS_STATE``).
    most_waiting
        Transactions that may wait.
    watch
        Is told of every batch.
    """

    def __init__(
        self,
        ws: Workspace,
        portfolios: Mapping[str, Portfolio],
        champion: Callable[[str], Champion | None],
        *,
        follow_up: FollowUp | None = None,
        seed: FollowUp | None = None,
        spool: Path | None = None,
        most_waiting: int = 5_000,
        watch: Callable[[Taken], None] = lambda taken: None,
    ) -> None:
        self._ws, self._portfolios, self._champion = ws, dict(portfolios), champion
        self._desks = {name: Desk(ws, portfolio, spool=spool) for name, portfolio in self._portfolios.items()}
        self._link = Link(ws.database_url)
        self._lock = threading.Lock()
        self._follow_up, self._seed = follow_up or _followed_up, seed or _seeded
        self._news = threading.Event()
        self._warm = threading.Event()
        self._stopping = threading.Event()
        self._batcher: Batcher[Arrival, Decided | Conflict] = Batcher(
            self.decide_now, most_waiting=most_waiting, watch=watch
        )
        self._follower = threading.Thread(target=self._follow, name="follower", daemon=True)

    # -- deciding ------------------------------------------------------------------------------------------

    async def decide(self, portfolio: str, arrivals: Sequence[Arrival]) -> list[Decided | Conflict]:
        """Decide, together with whatever else waits.

        Raises
        ------
        NoChampionError
            No model is in force.
        DatabaseAwayError
            The database is away, and the portfolio does not want to be answered without.
        fraudops.serving.batcher.FullError, fraudops.serving.batcher.ClosedError
            Too much waits; the service is stopping.
        """
        return await self._batcher.decide(portfolio, arrivals)

    def decide_now(self, portfolio: str, arrivals: Sequence[Arrival]) -> list[Decided | Conflict]:
        """Decide in this thread; raises as :meth:`decide` does."""
        champion = self._champion(portfolio)
        if champion is None:
            raise NoChampionError(portfolio)
        with self._lock:
            answers = self._decide(portfolio, arrivals, champion)
        # What is allowed is for the ledger alone, which the round of each minute sees to.
        if any(isinstance(one, Decided) and (one.decision != ALLOW or one.degraded) for one in answers):
            self._news.set()
        return answers

    def _decide(self, name: str, arrivals: Sequence[Arrival], champion: Champion) -> list[Decided | Conflict]:
        desk = self._desks[name]
        try:
            with self._link.connection() as connection:
                return desk.decide(connection, arrivals, champion, datetime.now(UTC))
        except DatabaseAwayError:
            # Had it been lost while committing, the spool finds its decisions there, and changes none.
            if self._portfolios[name].serving.without_database == "refuse":
                raise
            return desk.decide(None, arrivals, champion, datetime.now(UTC))

    # -- what is true of it --------------------------------------------------------------------------------

    @property
    def portfolios(self) -> Mapping[str, Portfolio]:
        """Those it decides for."""
        return self._portfolios

    @property
    def database_there(self) -> bool:
        """What the last attempt has shown."""
        return self._link.there

    @property
    def warm(self) -> bool:
        """Whether what is needed most is remembered; until then answers take longer."""
        return self._warm.is_set()

    @property
    def waiting(self) -> int:
        """Transactions that wait."""
        return self._batcher.waiting

    @property
    def alive(self) -> bool:
        """Whether both threads are at work."""
        return self._batcher.alive and self._follower.is_alive()

    # -- beginning and ending ------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to decide, and to follow up; first what an earlier process has left."""
        self._news.set()
        self._batcher.start()
        self._follower.start()

    def stop(self, patience: float = 10.0) -> bool:
        """Take nothing more, decide what waits, follow it up, end; False where there was not the time for it."""
        decided = self._batcher.stop(patience)
        self._stopping.set()
        self._news.set()
        self._follower.join(patience)
        self._link.close()
        return decided and not self._follower.is_alive()

    def _follow(self) -> None:
        """Round after round, while there is something new; once a minute in any case."""
        self._remember_the_past()
        rounds = 0
        while not self._stopping.is_set():
            self._news.wait(60 * _EVERY)
            # What comes within the next second is followed up with it.
            self._stopping.wait(_EVERY if rounds else 0)
            self._news.clear()
            self.follow_up_now()
            rounds += 1

    def _remember_the_past(self) -> None:
        """Bring the store's days into the state, where nobody has: a new service must not see strangers alone."""
        for name, portfolio in self._portfolios.items():
            try:
                self._seed(self._ws, portfolio)
                self._warm_up(name, portfolio)
            except DatabaseAwayError:
                log.warning("%s: the past is not known yet; it is looked for when somebody asks", name)
            except Exception:
                log.exception("%s: the past could not be brought in; 'fraudops online seed' does so as well", name)
        self._warm.set()

    def _warm_up(self, name: str, portfolio: Portfolio) -> None:
        """Remember those who paid last: loading them takes far longer than deciding."""
        transactions = recent(self._ws, portfolio, _WARMED)
        while (some := [*islice(transactions, _WARMED_AT_ONCE)]) and not self._stopping.is_set():
            with self._lock, self._link.connection() as connection:
                self._desks[name].warm(connection, some)

    def follow_up_now(self) -> None:
        """Bring what was decided without the database into it, and follow up what was decided."""
        for name, portfolio in self._portfolios.items():
            try:
                with self._lock, self._link.connection() as connection:
                    self._desks[name].enter_spool(connection)
                self._follow_up(self._ws, portfolio)
            except DatabaseAwayError:
                # It waits in the spool, or in the table. Look again soon, without being asked.
                self._news.set()
            except Exception:
                log.exception("%s: what was decided could not be followed up; it is tried again", name)


def _followed_up(ws: Workspace, portfolio: Portfolio) -> object:
    from fraudops.cases.following import follow_up

    return follow_up(ws, portfolio)


def _seeded(ws: Workspace, portfolio: Portfolio) -> object:
    from fraudops.online.seeding import seed

    return seed(ws, portfolio)
