"""A new key for the tokens: every stored token goes through it, so that a card stays one card.

In this order, and whoever is interrupted runs it again:

1. nobody else may read or write the store any more;
2. beside each partition is planned what it becomes; nothing has changed yet, and taking the new key away undoes it;
3. one transaction of the database: its tokens, and the ledger's entries with the digests of what was planned;
4. the partitions are swapped, and the rows with the old tokens deleted;
5. the store is open again.

Digests by which other partitions name what they were computed from stay those of the first tokens
(:attr:`fraudops.store.Manifest.stands_for`): nothing that was computed looks out of date, and a replay finds its
inputs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry
from fraudops.errors import ContractError
from fraudops.intake.locks import lock_landing
from fraudops.intake.tokens import (
    VARIABLE,
    fingerprint_of,
    keys_behind,
    known_fingerprint,
    put_fingerprint,
    token_of,
)
from fraudops.keeping.locks import lock_removal
from fraudops.keeping.rotation.folding import token_columns
from fraudops.keeping.rotation.planning import TURNED, Planner, Tell, planner_of
from fraudops.keeping.rotation.rows import certain_tokens, possible_tokens, replace_tokens
from fraudops.portfolio import TOKENS, Portfolio
from fraudops.rules.hit_ids import forget_planned, plan_hit_ids, swap_hit_ids
from fraudops.rules.registry import Rule
from fraudops.store import Store
from fraudops.store.turning import TurningStore, begin_turning, end_turning, is_turning
from fraudops.workspace import Workspace

ROTATED = "tokens_rotated"
"""Action of the ledger's entries: for each partition what it stands for, and the digest of its rows now."""
_FINGERPRINT = 16
"""Digits of a fingerprint in the ledger."""


@dataclass(frozen=True)
class TokensRotated:
    """What was changed.

    Attributes
    ----------
    partitions
        Dataset → partitions, replaced ones among them.
    rows
        Of the database.
    """

    portfolios: tuple[str, ...]
    partitions: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0


@dataclass(frozen=True)
class _Turn:
    """One portfolio that lacks keys."""

    planner: Planner
    before: str
    """Fingerprint of the keys that its tokens have."""

    @property
    def name(self) -> str:
        return self.planner.portfolio.name

    @property
    def store(self) -> TurningStore:
        return self.planner.store


def rotate_token_key(
    ws: Workspace, portfolios: Iterable[Portfolio], rules: Mapping[str, Rule], *, actor: str, tell: Tell
) -> TokensRotated | None:
    """Put every stored token through the keys that are new; None where there is nothing to do.

    Nothing else may run meanwhile: pause the DAGs, and let tasks that run come to their end. Where the newest key was
    taken away again before step 3, what was planned is undone.

    Parameters
    ----------
    portfolios
        All that there are.

    Raises
    ------
    ContractError
        Tokens in the store were made with keys that are not given, or belong to a portfolio that is not.
    """
    store = TurningStore.of(ws.store)
    chosen = [one for one in portfolios if one.named(*TOKENS)]
    _require_all(store, {one.name for one in chosen})
    turns = [turn for one in chosen if (turn := _turn(ws, store, one, rules)) is not None]
    if not turns:
        _undo(ws, store, chosen)
        return None
    after = fingerprint_of(ws.token_keys)
    begin_turning(ws.store, after[:_FINGERPRINT])
    done = _prepare(ws, turns, after, actor, tell)
    for turn in turns:
        tell(f"{turn.name}: swapping the partitions")
        for dataset in TURNED:
            for key in store.all_keys(dataset, turn.name):
                store.swap(dataset, turn.name, key)
        swap_hit_ids(store, turn.name)
        put_fingerprint(store, turn.name, ws.token_keys)
    end_turning(ws.store)
    return done


def lacking(ws: Workspace, portfolio: Portfolio) -> int:
    """How many of the keys a portfolio's tokens do not have yet; see :func:`rotate_token_key`."""
    known = known_fingerprint(TurningStore.of(ws.store), portfolio.name)
    return 0 if known is None else len(ws.token_keys) - _used(known, ws.token_keys, portfolio.name)


def rotated_digests(session: Session, portfolio: str) -> dict[tuple[str, str], dict[str, str]]:
    """Dataset and key → digest that a partition stands for → digest of its rows since the last change of the key."""
    entries = session.execute(
        select(LedgerEntry.number, LedgerEntry.details["partitions"])
        .where(LedgerEntry.portfolio == portfolio, LedgerEntry.action == ROTATED)
        .order_by(LedgerEntry.number)
    )
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for _, partitions in entries:
        for dataset, key, stands_for, digest in partitions or ():
            found[dataset, key][stands_for] = digest
    return found


# -- before ---------------------------------------------------------------------------------------------


def _turn(ws: Workspace, store: Store, portfolio: Portfolio, rules: Mapping[str, Rule]) -> _Turn | None:
    known = known_fingerprint(store, portfolio.name)
    used = len(ws.token_keys) if known is None else _used(known, ws.token_keys, portfolio.name)
    if known is None or used == len(ws.token_keys):
        return None
    return _Turn(planner_of(ws, portfolio, ws.token_keys[used:], rules), known)


def _used(known: str, keys: Sequence[bytes], portfolio: str) -> int:
    used = keys_behind(known, keys)
    if used is None:
        raise ContractError(
            "the tokens in the store were made with another key",
            where=f"{portfolio}: {VARIABLE}",
            remedy="give all keys that were used, the oldest first, and the new one as the last",
        )
    return used


def _require_all(store: Store, given: set[str]) -> None:
    place = store.root / "protected"
    found = place.glob("portfolio=*/token_key.json") if place.exists() else ()
    others = sorted({path.parent.name.removeprefix("portfolio=") for path in found} - given)
    if others:
        raise ContractError(
            f"the store has tokens of {', '.join(others)}, and there is no such portfolio",
            remedy="put its YAML back, so that its columns are known; or delete what the store has of it",
        )


def _undo(ws: Workspace, store: TurningStore, portfolios: Iterable[Portfolio]) -> None:
    """Open a store that nobody has to turn any more: the new key was taken away, or only the opening was left."""
    if not is_turning(store):
        return
    for portfolio in portfolios:
        _require_in_step(ws, store, portfolio.name)
        for dataset in TURNED:
            for key in store.all_keys(dataset, portfolio.name):
                store.discard_plan(dataset, portfolio.name, key)
        forget_planned(store, portfolio.name)
    end_turning(store)


def _require_in_step(ws: Workspace, store: Store, portfolio: str) -> None:
    """Refuse to undo what the database has already."""
    with ws.transaction() as session:
        newest = _newest(session, portfolio)
    if newest is not None and newest != (known_fingerprint(store, portfolio) or "")[:_FINGERPRINT]:
        raise ContractError(
            "the database has the new tokens already",
            where=f"{portfolio}: {VARIABLE}",
            remedy="give the new key again, as the last one, and run this to its end",
        )


def _newest(session: Session, portfolio: str) -> str | None:
    """Fingerprint of the keys that the last change led to."""
    query = select(LedgerEntry.number, LedgerEntry.details["after"].astext)
    found = session.execute(query.where(LedgerEntry.portfolio == portfolio, LedgerEntry.action == ROTATED))
    return max((tuple(row) for row in found), default=(0, None))[1]


# -- planning, and the database -------------------------------------------------------------------------


def _prepare(ws: Workspace, turns: Sequence[_Turn], after: str, actor: str, tell: Tell) -> TokensRotated:
    """Plan everything, and commit it; what an earlier run has committed is only to be swapped."""
    names = tuple(turn.name for turn in turns)
    with ws.transaction() as session:
        if _is_committed(session, names, after):
            tell("an earlier run was interrupted once everything was recorded: going on from there")
            return TokensRotated(names)
    ids: dict[str, Mapping[str, str]] = {}
    for turn in turns:
        tell(f"{turn.name}: planning what each partition becomes")
        ids[turn.name] = turn.planner.plan()
    with ws.transaction() as session:
        lock_removal(session)
        for name in sorted(names):
            lock_landing(session, name)
        counts: dict[str, int] = defaultdict(int)
        for turn in turns:
            # Again, now that nobody lands: what was written meanwhile is planned anew, the rest is found planned.
            plan_hit_ids(turn.store, turn.name, turn.planner.plan(ids[turn.name]))
        tell("the database")
        rows = replace_tokens(session, _known_tokens(session, turns))
        for turn in turns:
            for dataset, count in _record(ws, session, turn, after, actor).items():
                counts[dataset] += count
    return TokensRotated(names, dict(counts), rows)


def _is_committed(session: Session, names: Iterable[str], after: str) -> bool:
    query = select(LedgerEntry.portfolio).where(
        LedgerEntry.action == ROTATED, LedgerEntry.details["after"].astext == after[:_FINGERPRINT]
    )
    return set(names) <= set(session.scalars(query))


def _known_tokens(session: Session, turns: Sequence[_Turn]) -> dict[str, str]:
    """Which texts of the database are tokens, and what they become: all keys apply to all portfolios alike."""
    found: dict[str, str] = {}
    possible = possible_tokens(session)
    for turn in turns:
        keys, portfolio = turn.planner.keys, turn.planner.portfolio
        new = {token_of(text, keys): text for text in possible}
        for text in certain_tokens(session, portfolio):
            found[text] = token_of(text, keys)
        columns = token_columns(portfolio, "transactions")
        for key in turn.store.keys("transactions", turn.name):
            if len(found) >= len(possible):
                break
            table = turn.store.read(turn.store.require("transactions", turn.name, key), columns)
            there = {text for name in columns for text in table[name].unique().to_pylist()}
            found |= {new[text]: text for text in there & new.keys()}
    return found


def _record(ws: Workspace, session: Session, turn: _Turn, after: str, actor: str) -> dict[str, int]:
    """Enter into the ledger what was planned: an entry for each dataset and month; returns the partitions of each."""
    counts: dict[str, int] = {}
    by_month: dict[tuple[str, str], list[list[str]]] = defaultdict(list)
    for dataset in TURNED:
        for key in turn.store.all_keys(dataset, turn.name):
            for one in turn.store.plan(dataset, turn.name, key).values():
                if one.manifest is not None and one.manifest.stands_for is not None:
                    line = [dataset, key, one.manifest.stands_for, one.manifest.content_digest]
                    by_month[dataset, key[:7]].append(line)
                    counts[dataset] = counts.get(dataset, 0) + 1
    details = {"before": turn.before[:_FINGERPRINT], "after": after[:_FINGERPRINT]}

    def enter(subject: str, more: dict[str, Any]) -> None:
        ws.record(
            session, portfolio=turn.name, actor=actor, action=ROTATED, subject=subject, details={**details, **more}
        )

    for (dataset, month), lines in sorted(by_month.items()):
        enter(f"{turn.name}/{dataset}/{month}", {"partitions": lines})
    enter(f"{turn.name}/tokens", {"datasets": counts})
    return counts
