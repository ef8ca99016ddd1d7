"""Follows the champions: what the newest promotion or rollback put in force is loaded, compiled and swapped in.

One thread looks at the database every second. A request that is being decided keeps the model it began with, the next
one has the new one; nothing waits. What was taken over is kept beside the service, signed, so that it starts and
answers while the database is away.
"""

from __future__ import annotations

import io
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from upath import UPath

from fraudops.decisions.immediate import Champion
from fraudops.errors import FraudopsError, IntegrityError
from fraudops.portfolio import Portfolio
from fraudops.registry import versions
from fraudops.serving.api_keys import KeyRing, grants, grants_of
from fraudops.serving.notes import Note
from fraudops.store import sha256_of
from fraudops.store.files import put_whole
from fraudops.workspace import Workspace

if TYPE_CHECKING:
    from fraudops.database import ModelVersion

EVERY = 1.0
"""Seconds between two looks at the database."""
_AGAIN = 60.0
"""Seconds for which a model that could not be taken over is not tried again: each refusal is in the ledger."""
_PRUNING = 3_600.0
DATABASE, CHAMPION = "database", "champion"
_log = logging.getLogger(__name__)
Prepare = Callable[[Portfolio, bytes, str, int, str], Champion]


@dataclass(frozen=True)
class _Named:
    """A version as the database or the note names it."""

    version: str
    model_id: int
    sha256: str


class FollowedChampions:
    """The champions of some portfolios, as of the last look; and the keys of the service, which come the same way.

    Parameters
    ----------
    folder
        Of the service, for what it has to know while the database is away.
    prepare
        Turns the bytes of a model, which have been checked, into a champion (default: :func:`prepared`).
    prune
        Is called once an hour.
    """

    def __init__(
        self,
        ws: Workspace,
        portfolios: Mapping[str, Portfolio],
        keys: KeyRing,
        folder: Path,
        *,
        prepare: Prepare | None = None,
        prune: Callable[[], object] = lambda: None,
    ) -> None:
        self._ws, self._portfolios, self._keys, self._folder = ws, portfolios, keys, folder
        self._prepare = prepare or prepared
        self._prune, self._pruned = prune, time.monotonic()
        self._note = Note(folder / "last_good.json", ws.ledger_keys)
        self._engine = short_engine(ws.database_url)
        self._champions: dict[str, Champion] = {}
        self._failed: dict[str, tuple[int, float]] = {}
        self._there = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="champions", daemon=True)

    # -- asking ---------------------------------------------------------------------------------------

    def current(self, portfolio: str) -> Champion | None:
        """The champion in force; None while there is none."""
        return self._champions.get(portfolio)

    def degraded(self) -> tuple[str, ...]:
        """What is away: the database, or a champion's file, in whose place the last good one answers."""
        found = [] if self._there else [DATABASE]
        return tuple(found + ([CHAMPION] if self._failed else []))

    # -- following ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Look once; where the database is away, remember."""
        self.look()
        if not self._there:
            self._remember()

    def start(self) -> None:
        """Begin, and go on looking."""
        self.begin()
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(10)
        self._engine.dispose()

    def look(self) -> None:
        """Take over what the database says now."""
        try:
            with Session(self._engine, expire_on_commit=False) as session:
                found = {name: versions.champion(session, name) for name in self._portfolios}
                known = grants(session)
        except SQLAlchemyError:
            self._there = False
            return
        self._there = True
        self._keys.replace(known)
        for name, model in found.items():
            self._take_over(name, model)
        self._write_note()

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            try:
                self.look()
                if time.monotonic() - self._pruned > _PRUNING:
                    self._pruned = time.monotonic()
                    self._prune()
            except Exception as error:
                # The next look may fare better; its text may hold more than a log should.
                _log.error("looking at the database failed: %s", type(error).__name__)

    def _take_over(self, name: str, model: ModelVersion | None) -> None:
        current = self._champions.get(name)
        if model is None:
            self._champions.pop(name, None)
            self._failed.pop(name, None)
            return
        if current is not None and (current.model_id, current.sha256) == (model.id, model.artifact_sha256):
            self._failed.pop(name, None)
            return
        failed = self._failed.get(name)
        if failed is not None and failed[0] == model.id and time.monotonic() < failed[1]:
            return
        try:
            content = self._content(model)
            champion = self._prepare(self._portfolios[name], content, model.version, model.id, model.artifact_sha256)
            put_whole(UPath(self._copy(model.artifact_sha256)), content)
        except Exception as error:
            self._failed[name] = (model.id, time.monotonic() + _AGAIN)
            _log.error("%s of %s could not be taken over: %s", model.version, name, _said(error))
            return
        self._champions[name] = champion
        self._failed.pop(name, None)
        _log.info("%s of %s is in force", model.version, name)

    def _content(self, model: ModelVersion) -> bytes:
        """The registered bytes: the copy beside the service where it is the very file, else the store's."""
        try:
            return self._copied(model.artifact_sha256)
        except (OSError, IntegrityError):
            return versions.artifact_bytes(self._ws, model)

    # -- without a database ---------------------------------------------------------------------------

    def _write_note(self) -> None:
        champions = {
            name: {"version": one.version, "model_id": one.model_id, "sha256": one.sha256}
            for name, one in self._champions.items()
        }
        try:
            self._note.write({"champions": champions, "keys": self._keys.told()})
        except (OSError, FraudopsError) as error:
            _log.warning("the note for times without a database could not be written: %s", _said(error))

    def _remember(self) -> None:
        """Take over what the note says; only files whose digest it has."""
        content: Any = self._note.read()
        if content is None:
            return
        self._keys.replace(grants_of(content["keys"]))
        for name, said in content["champions"].items():
            if name not in self._portfolios:
                continue
            named = _Named(**said)
            try:
                model = self._copied(named.sha256)
                self._champions[name] = self._prepare(
                    self._portfolios[name], model, named.version, named.model_id, named.sha256
                )
                _log.warning("%s of %s answers from memory", named.version, name)
            except Exception as error:
                _log.error("%s of %s could not be remembered: %s", named.version, name, _said(error))

    def _copy(self, sha256: str) -> Path:
        return self._folder / "models" / f"{sha256}.joblib"

    def _copied(self, sha256: str) -> bytes:
        content = self._copy(sha256).read_bytes()
        if sha256_of(content) != sha256:
            raise IntegrityError("the copy of a model was altered", where=str(self._copy(sha256)))
        return content


def prepared(portfolio: Portfolio, content: bytes, version: str, model_id: int, sha256: str) -> Champion:
    """A champion that is ready to score, from the bytes of its file; whoever calls has compared their digest."""
    import joblib

    from fraudops.explanation import Explainer
    from fraudops.training.compiled import compile_model

    model = joblib.load(io.BytesIO(content))
    compiled = compile_model(model)
    explainer = Explainer(model, portfolio, matrix=compiled.matrix)
    return Champion(version, model_id, sha256, model, compiled, explainer)


def short_engine(url: str) -> Engine:
    """An engine for short questions beside the decisions: a database that does not answer is soon given up."""
    limits = {"connect_timeout": 2, "options": "-c statement_timeout=3000 -c lock_timeout=2000"}
    return create_engine(url, pool_pre_ping=True, pool_size=2, max_overflow=2, pool_timeout=2, connect_args=limits)


def _said(error: Exception) -> str:
    """What went wrong, in our own words or by its type alone."""
    return error.what if isinstance(error, FraudopsError) else type(error).__name__
