"""What follows when partitions are published late, or in place of others: who must know, and what is to be done.

The ledger says which published partitions were changed, and the notices which of these changes were told: so a
change is told once, whatever died in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database.models import LedgerEntry, ModelVersion, Verdict
from fraudops.decisions.locks import lock_partition
from fraudops.decisions.pending import stale_keys
from fraudops.decisions.untold import untold_entries
from fraudops.intake.masking import mask_card_numbers
from fraudops.intake.partitions import change_of
from fraudops.intake.publication import CHANGES, INGESTED
from fraudops.notices import messages
from fraudops.notices.messages import CORRECTION, ChangedPartition
from fraudops.portfolio import Portfolio
from fraudops.registry.versions import newest_promotion
from fraudops.training.dataset import changed_inputs
from fraudops.training.dataset_summary import DatasetSummary
from fraudops.workspace import Workspace

_SHOWN = 5


@dataclass(frozen=True)
class Consequences:
    """What follows from what was published.

    Attributes
    ----------
    corrected
        Partitions that had been published with other rows, and of which the data owner is told now.
    stale
        Scored partitions whose scores were made from what was there before.
    models
        Sentences: which model was trained on what was there before.
    notices
        New notices in the outbox.
    """

    corrected: list[str]
    stale: list[str]
    models: list[str]
    notices: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without anything confidential."""
        return asdict(self)

    def sentences(self) -> Iterator[str]:
        """For a log."""
        if self.corrected:
            yield f"the data owner is told of the changes in {_some(self.corrected)}"
        if self.stale:
            yield f"{_number(self.stale)} stale and to be scored again: {_some(self.stale)}"
        yield from self.models


def follow_up(ws: Workspace, portfolio: Portfolio, published: Iterable[str]) -> Consequences:
    """Tell the data owner which published partitions have changed, and find what depends on them.

    Parameters
    ----------
    published
        Partitions that were published just now, changed or new, and those in which labels arrived.
    """
    with ws.transaction() as session:
        lock_partition(session, "corrections", portfolio.name, "all")
        untold = untold_entries(session, portfolio, kind=CORRECTION, action=INGESTED, detail=CHANGES)
        corrected = sorted({_key(entry) for entry in untold})
        affected = sorted({*published, *corrected})
        stale = stale_keys(ws, portfolio, since=affected[0]) if affected else []
        models = list(_models_trained_before(ws, session, portfolio, affected))
        told = False
        if untold:
            told = messages.correction(
                session,
                ws,
                portfolio,
                until=untold[-1].number,
                partitions=[_changed(ws, portfolio, entry) for entry in untold],
                stale=stale,
                models=models,
            )
    return Consequences(corrected, stale, models, int(told))


def _key(entry: LedgerEntry) -> str:
    """Partition that an entry is about: its subject is ``<portfolio>/transactions/<key>``."""
    return entry.subject.rpartition("/")[2]


def _changed(ws: Workspace, portfolio: Portfolio, entry: LedgerEntry) -> ChangedPartition:
    """What an entry says, and the names of the files as long as the lineage is that of the same rows."""
    key = _key(entry)
    lineage = ws.store.manifest("lineage", portfolio.name, key)
    published = ws.store.require("transactions", portfolio.name, key)
    change = change_of(lineage, published) if lineage is not None else None
    is_same = change is not None and change.after == entry.details["after"]
    files = tuple(mask_card_numbers(item.file) for item in change.files) if change is not None and is_same else ()
    return ChangedPartition(key, **entry.details[CHANGES], files=files)


def _models_trained_before(ws: Workspace, session: Session, portfolio: Portfolio, keys: Sequence[str]) -> Iterator[str]:
    """Sentences about the champion and the newest challenger, where they have learned from other rows."""
    for model in _models_of_interest(session, portfolio):
        try:
            content = ws.store.get("training", portfolio.name, model.run_id, "dataset.json")
        except FileNotFoundError:
            continue
        changed = changed_inputs(ws, DatasetSummary.from_bytes(content), keys)
        if changed:
            yield f"{model.version} was trained on {_some(changed)} as {_it(changed)} before"


def _models_of_interest(session: Session, portfolio: Portfolio) -> list[ModelVersion]:
    champion = newest_promotion(session, portfolio.name)
    verdict = session.scalar(
        select(Verdict).where(Verdict.portfolio == portfolio.name).order_by(Verdict.id.desc()).limit(1)
    )
    found = {model.id: model for model in (champion and champion.model, verdict and verdict.challenger) if model}
    return sorted(found.values(), key=lambda model: model.number)


def _number(keys: Sequence[str]) -> str:
    return "1 partition is" if len(keys) == 1 else f"{len(keys)} partitions are"


def _it(keys: Sequence[str]) -> str:
    return "it was" if len(keys) == 1 else "they were"


def _some(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(keys[:_SHOWN]) + more
