"""Shadows of a portfolio: how far, how often they agree with the champion, what they would have raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from fraudops.database import Shadow
from fraudops.portfolio import Portfolio
from fraudops.registry.shadow import DATASET, covers, matures_at, shadows
from sqlalchemy.orm import Session

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.verdicts import VerdictLine, verdict_line

COMPARED_PARTITIONS = 14
"""Partitions whose decisions are counted, the newest of the shadow."""
_BY_CHANCE = {"passed_block": "block", "sample": "allow"}
"""Route → what the policy would have decided."""


@dataclass(frozen=True)
class Agreement:
    """Decisions of champion and shadow about the same transactions."""

    partitions: int
    first: str
    last: str
    n: int
    same: int
    both: int
    """Both would alert."""
    only_shadow: int
    only_champion: int

    @property
    def share(self) -> float:
        """Of all transactions, those about which both decide the same."""
        return self.same / self.n if self.n else 1.0

    @property
    def shadow_alerts(self) -> int:
        """Alerts that the shadow would have raised."""
        return self.both + self.only_shadow

    @property
    def champion_alerts(self) -> int:
        """Alerts by the champion's policy."""
        return self.both + self.only_champion


@dataclass(frozen=True)
class ShadowLine:
    """One shadow, running or ended."""

    version: str
    candidate: str
    starts_at: datetime
    ends_at: datetime
    matures_at: datetime
    days: int
    started_by: str
    reason: str
    ended_at: datetime | None
    ended_by: str | None
    outcome: str
    """``running``, or how it ended."""
    verdict: VerdictLine | None
    scored: int
    published: int
    expected: int
    agreement: Agreement | None


def shadow_lines(
    archive: Archive, session: Session, portfolio: Portfolio, *, version: str = "", counted: int = 1
) -> tuple[ShadowLine, ...]:
    """Shadows, the newest first.

    Parameters
    ----------
    version
        Of this version only.
    counted
        Of so many, the newest, the decisions are counted.
    """
    found = [one for one in shadows(session, portfolio.name) if version in ("", one.model.version)]
    return tuple(_line(archive, portfolio, one, counts=place < counted) for place, one in enumerate(found))


def _line(archive: Archive, portfolio: Portfolio, shadow: Shadow, *, counts: bool) -> ShadowLine:
    published = [key for key in archive.store.keys("scores", portfolio.name) if covers(portfolio, shadow, key)]
    there = set(archive.store.keys(DATASET, portfolio.name))
    scored = [key for key in published if key in there]
    verdict = shadow.verdict
    return ShadowLine(
        version=shadow.model.version,
        candidate=shadow.model.candidate,
        starts_at=shadow.starts_at,
        ends_at=shadow.ends_at,
        matures_at=matures_at(portfolio, shadow),
        days=shadow.days,
        started_by=shadow.started_by,
        reason=shadow.reason,
        ended_at=shadow.ended_at,
        ended_by=shadow.ended_by,
        outcome=shadow.outcome or "running",
        verdict=verdict_line(verdict) if verdict else None,
        scored=len(scored),
        published=len(published),
        expected=int(shadow.days * 24 / portfolio.partition_hours),
        agreement=agreement(archive, portfolio, scored) if counts else None,
    )


def agreement(archive: Archive, portfolio: Portfolio, keys: list[str]) -> Agreement | None:
    """How champion and shadow decided about some partitions; None without any.

    Three narrow columns are read, those of the newest partitions only.
    """
    keys = keys[-COMPARED_PARTITIONS:]
    if not keys:
        return None
    n = same = both = only_shadow = only_champion = 0
    for key in keys:
        champion, shadow = (_decisions(archive, portfolio, dataset, key) for dataset in ("scores", DATASET))
        joined = champion.join(shadow, "transaction_id", right_suffix="_shadow", join_type="inner")
        of_champion, of_shadow = (pc.not_equal(joined[name], "allow") for name in ("decision", "decision_shadow"))
        n += joined.num_rows
        same += _count(pc.equal(joined["decision"], joined["decision_shadow"]))
        both += _count(pc.and_(of_champion, of_shadow))
        only_shadow += _count(pc.and_not(of_shadow, of_champion))
        only_champion += _count(pc.and_not(of_champion, of_shadow))
    return Agreement(len(keys), keys[0], keys[-1], n, same, both, only_shadow, only_champion)


def _decisions(archive: Archive, portfolio: Portfolio, dataset: str, key: str) -> pa.Table:
    """What the policy said; what chance decided is left to the policy again, as in the comparison of the two."""
    there = archive.store.require(dataset, portfolio.name, key).columns
    wanted = [name for name in ("transaction_id", "decision", "route") if name in there]
    rows = archive.store.read_partition(dataset, portfolio.name, key, wanted)
    decision = rows["decision"].cast(pa.string())
    for route, meant in _BY_CHANCE.items() if "route" in wanted else ():
        decision = pc.if_else(pc.equal(rows["route"].cast(pa.string()), route), meant, decision)
    return pa.table({"transaction_id": rows["transaction_id"], "decision": decision})


def _count(mask: pa.ChunkedArray) -> int:
    return int(pc.sum(mask).as_py() or 0)
