"""Past decisions, computed again from what was stored then: equal to the last bit, or it says what is not.

A decision is recorded in three places: the partition's ``scores`` (and the scores that these replaced), the alert,
and the ledger. Their manifests name every input by its digest. Of an input that was replaced since by a correction the
former rows and manifest are still in the store; what a backup or retention took away is named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import pyarrow as pa

from fraudops import __version__
from fraudops.database.models import Alert, ModelVersion
from fraudops.decisions.alerts import explain_flagged, flagged_rows, told
from fraudops.decisions.immediate.telling import raised_at_once
from fraudops.decisions.kept import keep, online_rows
from fraudops.decisions.recorded import DecisionId, alerts_of, entry_of, rows_of
from fraudops.decisions.scoring import config_of, score_frame
from fraudops.errors import FraudopsError, IntegrityError
from fraudops.explanation.alike import alike
from fraudops.features import model_frame, recompute
from fraudops.features.partitions import config_of as features_config
from fraudops.portfolio import Portfolio
from fraudops.registry import versions
from fraudops.store import Manifest, PinnedStore
from fraudops.training.environment import environment
from fraudops.workspace import Workspace

T = TypeVar("T")
State = Literal["equal", "differs", "gone"]
EQUAL: State = "equal"
DIFFERS: State = "differs"
GONE: State = "gone"
_COLUMNS = ("score", "decision", "route", "propensity")


@dataclass(frozen=True)
class Part:
    """One thing that was computed again.

    Attributes
    ----------
    name
        ``features``, ``score``, ``decision``, ``route``, ``propensity``, ``reasons``.
    recorded, recomputed
        As text, floats in full; empty where there is nothing to show.
    why
        What is gone, or what may have made the difference.
    """

    name: str
    state: State
    recorded: str = ""
    recomputed: str = ""
    why: str = ""


@dataclass(frozen=True)
class Replayed:
    """A past decision beside what its inputs give now.

    Attributes
    ----------
    in_force
        False for scores that others have replaced since.
    scores
        Digest of the partition's scores that record it.
    whole
        Whether the scores of the whole partition come out equal.
    notes
        Sentences: what is not as it was then, whether or not it makes a difference.
    """

    decision: DecisionId
    in_force: bool
    scores: str
    model_version: str
    parts: tuple[Part, ...]
    whole: bool
    notes: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The worst of its parts: an input that is gone leaves the question open, a difference answers it."""
        states = {part.state for part in self.parts}
        return DIFFERS if DIFFERS in states else GONE if GONE in states else EQUAL

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**asdict(self), "decision": str(self.decision), "state": self.state}


def replay(
    ws: Workspace, portfolio: Portfolio, key: str, ids: Sequence[str], *, superseded: bool = True
) -> list[Replayed]:
    """Compute decisions of one partition again, from the inputs that its scores name.

    Nothing is written, but for the ledger's entry of a model file that is not the one registered.

    Parameters
    ----------
    ids
        Transactions.
    superseded
        Also what was decided before the partition was scored again, where it was.

    Returns
    -------
    list of Replayed
        Per record of scores that has the transaction, the one in force first; empty where none has it.
    """
    found = []
    records = ws.store.versions("scores", portfolio.name, key)
    current = ws.store.manifest("scores", portfolio.name, key)
    for manifest in records if superseded else records[:1]:
        record = _Record(ws, portfolio, manifest)
        found += [record.replayed(name, in_force=manifest == current) for name in ids if name in record.places(ids)]
    return found


@dataclass(frozen=True)
class _Record:
    """A partition's scores as they were written once, with what was recorded about them."""

    ws: Workspace
    portfolio: Portfolio
    manifest: Manifest

    def places(self, ids: Sequence[str]) -> dict[str, int]:
        """Position of each transaction, among those that the record has; all of them where it cannot be read."""
        rows = self.rows
        return dict.fromkeys(ids, 0) if isinstance(rows, FraudopsError) else rows_of(rows, ids)

    def replayed(self, name: str, *, in_force: bool) -> Replayed:
        """One transaction."""
        parts = (self._features_part(name), *self._score_parts(name), *self._reason_parts(name))
        model = self.manifest.facts["model_version"]
        decision = DecisionId(self.portfolio.name, self.manifest.key, name)
        whole = (
            isinstance(self.rows, pa.Table)
            and isinstance(self.recomputed, pa.Table)
            and self.recomputed.select(self.rows.column_names).equals(self.rows)
        )
        return Replayed(decision, in_force, self.manifest.data_digest, model, parts, whole, self.notes)

    # -- what is recorded ---------------------------------------------------------------------------------

    @cached_property
    def rows(self) -> pa.Table | FraudopsError:
        """The scores themselves."""
        return _attempt(lambda: self.ws.store.read(self.manifest))

    @cached_property
    def model(self) -> ModelVersion | FraudopsError:
        """The version that gave them."""

        def found() -> ModelVersion:
            with self.ws.transaction() as session:
                model = versions.version(session, self.portfolio.name, self.manifest.facts["model_version"])
            if model.artifact_sha256 != self.manifest.facts["model_sha256"]:
                raise IntegrityError(
                    f"the database knows another file for {model.version} than the scores were made with",
                    where=f"{self.portfolio.name} {self.manifest.key}",
                    remedy="restore the store and the database from the same moment",
                )
            return model

        return _attempt(found)

    @cached_property
    def then(self) -> Workspace | FraudopsError:
        """The workspace with a store that has the very transactions and features that were scored."""
        inputs = [known for known in self.manifest.inputs if known.dataset != "models"]
        return _attempt(lambda: replace(self.ws, store=PinnedStore(self.ws.store, self.portfolio.name, inputs)))

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What is not as it was then."""
        found = []
        name, key = self.portfolio.name, self.manifest.key
        if isinstance(self.then, Workspace):
            for dataset in ("transactions", "features"):
                now, was = self.ws.store.manifest(dataset, name, key), self.then.store.manifest(dataset, name, key)
                if was is not None and (now is None or now.data_digest != was.data_digest):
                    found.append(
                        f"{dataset} {key} were replaced since; those of then ({was.data_digest[:16]}…) are used"
                    )
        found += [f"{part} {name}.yaml says otherwise than then" for part in self._other_configuration()]
        if self.manifest.code != __version__:
            found.append(f"scored by fraudops {self.manifest.code}; this is {__version__}")
        if isinstance(self.model, ModelVersion):
            found += _other_libraries(self.model)
        return tuple(found)

    def _other_configuration(self) -> list[str]:
        scores = [] if self.manifest.config == config_of(self.portfolio) else ["about columns, features or labels"]
        features = self._features_manifest
        if features is not None and features.config != features_config(self.portfolio):
            scores.append("about what features are computed from,")
        return scores

    @property
    def _features_manifest(self) -> Manifest | None:
        if not isinstance(self.then, Workspace):
            return None
        return self.then.store.manifest("features", self.portfolio.name, self.manifest.key)

    # -- what is computed again ---------------------------------------------------------------------------

    @cached_property
    def recomputed(self) -> pa.Table | FraudopsError:
        """The partition's scores, from the stored rows and features of then."""

        def scored() -> pa.Table:
            then, model = _given(self.then), _given(self.model)
            frame = _columns(lambda: model_frame(then, self.portfolio, [self.manifest.key]), self.portfolio)
            scores = score_frame(then, self.portfolio, self.manifest.key, frame, model)
            online = online_rows(then, self.portfolio, self.manifest.key)
            return scores if online is None else keep(scores, online)[0]

        return _attempt(scored)

    @cached_property
    def features(self) -> tuple[pa.Table, pa.Table] | FraudopsError:
        """The partition's features as stored, and as its transactions and labels of then give them."""

        def computed() -> tuple[pa.Table, pa.Table]:
            then = _given(self.then)
            manifest = then.store.require("features", self.portfolio.name, self.manifest.key)
            pinned = PinnedStore(self.ws.store, self.portfolio.name, manifest.inputs)
            past = replace(self.ws, store=pinned)
            (_, table), *_ = _columns(lambda: list(recompute(past, self.portfolio, [manifest.key])), self.portfolio)
            return then.store.read(manifest), table

        return _attempt(computed)

    @cached_property
    def reasons(self) -> dict[str, tuple[list[str], Any]] | FraudopsError:
        """Reasons and explanations of the alerts that were raised from these scores, as they come out now."""

        def explained() -> dict[str, tuple[list[str], Any]]:
            then, model = _given(self.then), _given(self.model)
            flagged = flagged_rows(_given(self.rows))
            batches: dict[Any, set[str]] = {}
            for alert in self.alerts.values():
                batches.setdefault(alert.created_at, set()).add(alert.transaction_id)
            found = {}
            for ids in batches.values():
                # Together, as they were explained together: a sum in another order may differ in its last bit.
                some = flagged[flagged["transaction_id"].isin(ids)]
                frame, whys = explain_flagged(then, self.portfolio, self.manifest.key, some, model)
                for row, why in zip(frame.to_dict("records"), whys, strict=True):
                    found[row["transaction_id"]] = (told(row["route"], why), json.loads(json.dumps(why.to_dict())))
            return found

        return _attempt(explained)

    @cached_property
    def alerts(self) -> dict[str, Alert]:
        """Alerts that were raised from these very scores, by transaction."""
        with self.ws.transaction() as session:
            at_once = raised_at_once(session, self.portfolio.name, self.manifest.key)
            raised = alerts_of(session, self.portfolio.name, self.manifest.key)
            found = [alert for alert in raised if alert.transaction_id not in at_once]
            entries: dict[Any, str | None] = {}
            for alert in found:
                if alert.created_at not in entries:
                    entry = entry_of(session, alert)
                    entries[alert.created_at] = entry.details.get("scores") if entry else None
        digest = self.manifest.data_digest
        return {alert.transaction_id: alert for alert in found if entries[alert.created_at] == digest}

    # -- side by side -------------------------------------------------------------------------------------

    def _features_part(self, name: str) -> Part:
        if isinstance(self.features, FraudopsError):
            return _lost("features", self.features)
        stored, computed = self.features
        place, again = rows_of(stored, [name]).get(name), rows_of(computed, [name]).get(name)
        if place is None or again is None:
            return Part(
                "features", DIFFERS, why=f"the row is not among the {'stored' if place is None else 'computed'}"
            )
        names = [column for column in stored.column_names if column in computed.column_names]
        other = [c for c in names if not stored[c].slice(place, 1).equals(computed[c].slice(again, 1))]
        other += sorted(set(stored.column_names) ^ set(computed.column_names))
        if not other:
            return Part("features", EQUAL, f"{len(names) - 1} values", f"{len(names) - 1} values")
        return Part("features", DIFFERS, why=f"{', '.join(other[:5])}{self._suspects()}")

    def _score_parts(self, name: str) -> list[Part]:
        if isinstance(self.rows, FraudopsError):
            return [_lost("score", self.rows)]
        if isinstance(self.recomputed, FraudopsError):
            return [_lost("score", self.recomputed)]
        place, again = rows_of(self.rows, [name])[name], rows_of(self.recomputed, [name]).get(name)
        if again is None:
            return [Part("score", DIFFERS, why="the transaction is not among the rows that were scored")]
        found = []
        for column in _COLUMNS:
            if column in self.rows.column_names:
                was, now = self.rows[column][place].as_py(), self.recomputed[column][again].as_py()
                same = was == now
                why = "" if same else f"computed otherwise{self._suspects()}"
                found.append(Part(column, EQUAL if same else DIFFERS, _text(was), _text(now), why))
        return found

    def _reason_parts(self, name: str) -> list[Part]:
        alert = self.alerts.get(name)
        if alert is None:
            return []
        if isinstance(self.reasons, FraudopsError):
            return [_lost("reasons", self.reasons)]
        sentences, explanation = self.reasons.get(name, ([], None))
        same = alert.reasons == sentences and (alert.explanation is None or alike(alert.explanation, explanation))
        # Equal sentences over unequal numbers are no equal reasons.
        why = "" if same else f"explained otherwise{self._suspects()}"
        recorded, recomputed = "; ".join(alert.reasons), "; ".join(sentences)
        return [Part("reasons", EQUAL if same else DIFFERS, recorded, recomputed, why)]

    def _suspects(self) -> str:
        return f" ({'; '.join(self.notes)})" if self.notes else ""


def _attempt(compute: Callable[[], T]) -> T | FraudopsError:
    """What it gives, or the error that says what is gone."""
    try:
        return compute()
    except FraudopsError as error:
        return error


def _given(value: T | FraudopsError) -> T:
    if isinstance(value, FraudopsError):
        raise value
    return value


def _columns(read: Callable[[], T], portfolio: Portfolio) -> T:
    """What reading gives; a column that today's configuration names and the rows lack is told as such."""
    try:
        return read()
    except KeyError as error:
        raise IntegrityError(
            f"the rows of then do not have {error}, which the configuration of now names",
            where=f"{portfolio.name}.yaml",
            remedy="replay with the portfolio file of that day, from version control",
        ) from None


def _lost(name: str, error: FraudopsError) -> Part:
    return Part(name, GONE, why=str(error))


def _text(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _other_libraries(model: ModelVersion) -> list[str]:
    """Libraries that the model was trained with in another version than is installed."""
    was = (model.lineage.get("environment") or {}).get("packages", {})
    now = environment()["packages"]
    other = [f"{name} {was[name]} (now {now.get(name, 'none')})" for name in sorted(was) if was[name] != now.get(name)]
    return [f"{model.version} was trained with {', '.join(other)}"] if other else []
