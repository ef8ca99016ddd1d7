"""Raises what the rules found: each hit once, with a ledger entry and a digest for compliance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fraudops.database import RuleHit
from fraudops.decisions.historic import is_historic
from fraudops.decisions.locks import lock_partition
from fraudops.decisions.untold import untold_entries
from fraudops.notices.rule_messages import HISTORIC_HITS, PastHits, historic_hits, hits_digest
from fraudops.portfolio import Portfolio
from fraudops.rules import HITS
from fraudops.rules.registry import Rule
from fraudops.rules.snoozing import Snoozes
from fraudops.workspace import Workspace

RAISED = "rule_hits_raised"
"""Action of the ledger's entry for new hits of a partition."""
_AT_ONCE = 1_000


@dataclass(frozen=True)
class Raised:
    """What became of a partition's hits.

    Attributes
    ----------
    raised
        Hits that are new.
    already
        Hits that were raised before, by this partition or by another one.
    snoozed
        New ones that nobody is told of.
    notices
        New notices in the outbox.
    """

    key: str
    raised: int = 0
    already: int = 0
    snoozed: int = 0
    notices: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def raise_hits(ws: Workspace, portfolio: Portfolio, key: str, rules: Mapping[str, Rule], *, actor: str) -> Raised:
    """Raise the hits of a partition that no partition has raised; rows, notice and ledger entry commit together.

    What is snoozed is raised, and told to nobody. Hits of the past (see :mod:`fraudops.decisions.historic`) are told
    of in one summary.

    Raises
    ------
    MissingPartitionError
        The rules have not run over the partition.
    """
    found = ws.store.read_partition(HITS, portfolio.name, key, ["hit_id", "rule", "kind", "subject"]).to_pylist()
    if not found:
        return Raised(key)
    as_of = portfolio.partitioning.end(key)
    with ws.transaction() as session:
        lock_partition(session, HITS, portfolio.name, "all")
        new = _insert(session, portfolio, key, as_of, found)
        if not new:
            return Raised(key, already=len(found))
        snoozes = Snoozes.read(session, portfolio.name)
        told = [row for row in found if row["hit_id"] in new and not snoozes.cover(row["rule"], row["subject"], as_of)]
        counts = Counter(row["rule"] for row in told)
        transactions = ws.store.require("transactions", portfolio.name, key).data_digest
        historic = is_historic(session, portfolio, key, transactions)
        notices = 0
        if told and not historic:
            titles = [(rules[rule].definition, counts[rule]) for rule in sorted(counts) if rule in rules]
            notices = int(hits_digest(session, ws, portfolio, key, titles, [row["hit_id"] for row in told]))
        ws.record(
            session,
            portfolio=portfolio.name,
            actor=actor,
            action=RAISED,
            subject=f"{portfolio.name}/{HITS}/{key}",
            details={
                "rules": dict(sorted(Counter(row["rule"] for row in found if row["hit_id"] in new).items())),
                "snoozed": len(new) - len(told),
                "notices": notices,
                "digest": ws.store.require(HITS, portfolio.name, key).data_digest,
                **({"historic": dict(sorted(counts.items()))} if historic else {}),
            },
        )
    return Raised(key, len(new), len(found) - len(new), len(new) - len(told), notices)


def tell_historic_hits(ws: Workspace, portfolio: Portfolio) -> bool:
    """Queue one notice about all hits of the past that no notice has told of; whether there were any."""
    with ws.transaction() as session:
        lock_partition(session, HISTORIC_HITS, portfolio.name, "all")
        entries = untold_entries(session, portfolio, kind=HISTORIC_HITS, action=RAISED, detail="historic")
        by_key: Counter[str] = Counter()
        by_rule: Counter[str] = Counter()
        for entry in entries:
            by_rule.update(entry.details["historic"])
            by_key[entry.subject.rpartition("/")[2]] += sum(entry.details["historic"].values())
        if not by_rule:
            return False
        past = PastHits(entries[-1].number, dict(sorted(by_key.items())), dict(sorted(by_rule.items())))
        return historic_hits(session, ws, portfolio, past)


def _insert(session: Session, portfolio: Portfolio, key: str, as_of: datetime, rows: list[dict[str, Any]]) -> set[str]:
    now = datetime.now(UTC)
    values = [
        {"portfolio": portfolio.name, "partition_key": key, "as_of": as_of, "raised_at": now, **row} for row in rows
    ]
    new: set[str] = set()
    for at in range(0, len(values), _AT_ONCE):
        statement = insert(RuleHit).values(values[at : at + _AT_ONCE]).on_conflict_do_nothing()
        new.update(session.scalars(statement.returning(RuleHit.hit_id)))
    return new
