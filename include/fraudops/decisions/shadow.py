"""Scores partitions with a challenger in the shadow of the champion: would-be decisions on which nothing acts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from fraudops.database.models import Shadow
from fraudops.decisions.locks import lock_partition
from fraudops.decisions.scoring import current_scores, inputs_of, record_scores, stage_scores
from fraudops.features import build
from fraudops.portfolio import Portfolio
from fraudops.registry.locks import hold_champion
from fraudops.registry.shadow import DATASET, covers, running
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class ShadowResult:
    """What the running shadow did.

    Attributes
    ----------
    version
        The shadow's; None where none runs.
    scored
        Partitions scored now.
    unchanged
        Partitions whose shadow scores were there.
    """

    version: str | None = None
    scored: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """JSON-able."""
        return asdict(self)


def score_shadow(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> ShadowResult:
    """Score those of the partitions that the running shadow covers and the champion has scored.

    The same inputs give the same bytes; a step that is repeated writes nothing.

    Raises
    ------
    IntegrityError
        The challenger's file is not the one that was registered.
    ContractError
        The portfolio lacks a column that the challenger reads, or it gave something that is no probability.
    """
    with ws.transaction() as session:
        shadow = running(session, portfolio.name)
    if shadow is None:
        return ShadowResult()
    scored = set(ws.store.keys("scores", portfolio.name))
    wanted = [key for key in sorted(set(keys)) if key in scored and covers(portfolio, shadow, key)]
    changed = [key for key in wanted if _score(ws, portfolio, shadow, key)]
    return ShadowResult(
        version=shadow.model.version,
        scored=tuple(changed),
        unchanged=tuple(key for key in wanted if key not in changed),
    )


def undone(ws: Workspace, portfolio: Portfolio) -> list[str]:
    """Partitions of the running shadow that the champion has scored and it has not, or from other inputs."""
    with ws.transaction() as session:
        shadow = running(session, portfolio.name)
    if shadow is None:
        return []
    covered = [key for key in ws.store.keys("scores", portfolio.name) if covers(portfolio, shadow, key)]
    return [
        key
        for key in covered
        if current_scores(ws, DATASET, portfolio, key, shadow.model, inputs_of(ws, portfolio, key)) is None
    ]


def heal(ws: Workspace, portfolio: Portfolio) -> ShadowResult:
    """Score what is missing of the running shadow; raises as :func:`score_shadow` does."""
    keys = undone(ws, portfolio)
    build(ws, portfolio, keys)
    return score_shadow(ws, portfolio, keys)


def _score(ws: Workspace, portfolio: Portfolio, shadow: Shadow, key: str) -> bool:
    """Whether the partition was scored now."""
    inputs = inputs_of(ws, portfolio, key)
    found = current_scores(ws, DATASET, portfolio, key, shadow.model, inputs)
    manifest = found or stage_scores(ws, DATASET, portfolio, key, shadow.model, inputs)
    with ws.transaction() as session:
        # Neither a promotion nor the shadow's end may come between the question and the publication.
        hold_champion(session, portfolio.name)
        lock_partition(session, DATASET, portfolio.name, key)
        now = running(session, portfolio.name)
        if now is None or now.id != shadow.id:
            ws.store.discard(manifest)
            return False
        # Found ones too: a try that was killed between the store and the ledger has left them without an entry.
        ws.store.publish(manifest)
        record_scores(ws, session, portfolio, manifest, "shadow_scored")
    return found is None
