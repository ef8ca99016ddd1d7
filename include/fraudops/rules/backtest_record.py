"""Backtests that were run, beside the record: counts alone, no customer and no transaction.

Layout, below the store's root::

    backtests/portfolio=<P>/rule=<rule>/<digest>.json

The ledger has who ran it, when, and the digest of the file. The same backtest again gives the same file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry
from fraudops.errors import IntegrityError
from fraudops.portfolio import Portfolio
from fraudops.rules.backtest import Backtest, Tried
from fraudops.rules.registry import Rule
from fraudops.store import Store, canonical_json, sha256_of
from fraudops.workspace import Workspace

AREA = "backtests"
ACTION = "rule_backtested"
_NAME_DIGITS = 16


@dataclass(frozen=True)
class Outcome:
    """What the rule found with some numbers.

    Attributes
    ----------
    by_key
        New hits of each partition.
    summary
        As :meth:`fraudops.rules.backtest.Backtest.summary` has it.
    """

    by_key: tuple[int, ...]
    summary: Mapping[str, float]


@dataclass(frozen=True)
class KeptBacktest:
    """A backtest as it was kept.

    Attributes
    ----------
    number
        Of the ledger's entry.
    keys
        Partitions, in the order of time.
    instead
        Numbers that were tried, as they were written; empty: only those in force.
    difference
        Hits that are new with the other numbers, gone, the same.
    same_rule
        Whether the rule's file, with its numbers, still is what it was.
    """

    number: int
    at: datetime
    by: str
    keys: tuple[str, ...]
    instead: Mapping[str, str]
    in_force: Outcome
    tried: Outcome
    difference: Mapping[str, int]
    same_rule: bool


def keep(ws: Workspace, portfolio: Portfolio, rule: Rule, found: Backtest, *, by: str) -> bool:
    """Write a backtest down, and enter it into the ledger; False where the same one is there.

    Parameters
    ----------
    by
        Who ran it.
    """
    content = canonical_json(
        {
            "rule": found.rule,
            "rule_sha256": _digest_of(rule),
            "keys": found.keys,
            "transactions_sha256": _digest_of_data(ws.store, portfolio, found.keys),
            "instead": found.instead,
            "in_force": _outcome(found, found.in_force),
            "tried": _outcome(found, found.tried),
            "difference": found.difference,
        }
    )
    digest = sha256_of(content)
    # The file first: an entry whose file is missing would look like a loss.
    ws.store.put(content, AREA, portfolio.name, *_place(found.rule, digest))
    subject = f"{_subject(portfolio.name, found.rule)}{digest[:_NAME_DIGITS]}"
    with ws.transaction() as session:
        if session.scalar(select(LedgerEntry.number).where(LedgerEntry.subject == subject).limit(1)) is not None:
            return False
        details = {"sha256": digest, "first": found.keys[0], "last": found.keys[-1], "instead": found.instead}
        ws.record(session, portfolio=portfolio.name, actor=by, action=ACTION, subject=subject, details=details)
    return True


def kept(store: Store, session: Session, portfolio: Portfolio, rule: Rule, *, most: int) -> list[KeptBacktest]:
    """The newest backtests of a rule, the newest first.

    Raises
    ------
    IntegrityError
        A file is gone, or is not the one that the ledger names.
    """
    entries = session.scalars(
        select(LedgerEntry)
        .where(
            LedgerEntry.portfolio == portfolio.name,
            LedgerEntry.action == ACTION,
            LedgerEntry.subject.startswith(_subject(portfolio.name, rule.id), autoescape=True),
        )
        .order_by(LedgerEntry.number.desc())
        .limit(most)
    )
    return [_read(store, portfolio, rule, entry) for entry in entries]


# -- inside -------------------------------------------------------------------------------------------


def _read(store: Store, portfolio: Portfolio, rule: Rule, entry: LedgerEntry) -> KeptBacktest:
    place = _place(rule.id, entry.details["sha256"])
    try:
        content = store.get(AREA, portfolio.name, *place)
    except FileNotFoundError:
        content = b""
    if sha256_of(content) != entry.details["sha256"]:
        what = "a backtest is not the one that was written" if content else "a backtest is gone"
        raise IntegrityError(what, where="/".join((AREA, portfolio.name, *place)), remedy="restore it from the backup")
    found: dict[str, Any] = json.loads(content)
    return KeptBacktest(
        number=entry.number,
        at=entry.at,
        by=entry.actor,
        keys=tuple(found["keys"]),
        instead=found["instead"],
        in_force=Outcome(tuple(found["in_force"]["by_key"]), found["in_force"]["summary"]),
        tried=Outcome(tuple(found["tried"]["by_key"]), found["tried"]["summary"]),
        difference=found["difference"],
        same_rule=found["rule_sha256"] == _digest_of(rule),
    )


def _outcome(found: Backtest, of: Tried) -> dict[str, Any]:
    return {"by_key": of.by_key(found.keys), "summary": found.summary(of)}


def _place(rule: str, digest: str) -> tuple[str, str]:
    return f"rule={rule}", f"{digest[:_NAME_DIGITS]}.json"


def _subject(portfolio: str, rule: str) -> str:
    return f"{portfolio}/{AREA}/{rule}/"


def _digest_of(rule: Rule) -> str:
    return sha256_of(canonical_json(rule.definition.model_dump(mode="json")))


def _digest_of_data(store: Store, portfolio: Portfolio, keys: list[str]) -> str:
    digests = {key: store.require("transactions", portfolio.name, key).data_digest for key in keys}
    return sha256_of(canonical_json(digests))
