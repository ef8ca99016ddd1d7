"""What a rule would find on days of the past, by other numbers: changes nothing of the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fraudops.errors import ContractError
from fraudops.labels import known_frauds
from fraudops.portfolio import Portfolio
from fraudops.rules.definition import Value, value_of
from fraudops.rules.registry import Rule
from fraudops.rules.running import Runner
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Tried:
    """What a rule finds with some numbers.

    Attributes
    ----------
    hits
        Hit id → the partition in which it is found first, and the subject.
    transactions
        Hit id → the transactions that it rests on.
    """

    hits: dict[str, tuple[str, str]]
    transactions: dict[str, frozenset[str]]

    def by_key(self, keys: list[str]) -> list[int]:
        """New hits of each partition."""
        counts = dict.fromkeys(keys, 0)
        for key, _ in self.hits.values():
            counts[key] += 1
        return [counts[key] for key in keys]

    def each_place(self, hits: Iterable[str]) -> list[set[tuple[str, str]]]:
        """Subject and transaction of what each of some hits rests on."""
        return [{(self.hits[hit][1], one) for one in self.transactions[hit]} for hit in hits]

    def places(self, hits: Iterable[str]) -> set[tuple[str, str]]:
        """The same of all of them together."""
        return set().union(*self.each_place(hits))


@dataclass(frozen=True)
class Backtest:
    """A rule with the numbers in force, and with others.

    Attributes
    ----------
    keys
        Partitions, in the order of time.
    instead
        Numbers that were set; empty: there is nothing to compare.
    frauds
        Transactions of these partitions that are known to be fraud now.
    """

    rule: str
    keys: list[str]
    instead: dict[str, str]
    in_force: Tried
    tried: Tried
    frauds: frozenset[str]

    def summary(self, of: Tried) -> dict[str, Any]:
        """Hits, hits a day, the busiest day, subjects, and the overlap with known fraud."""
        by_key = of.by_key(self.keys)
        touched = frozenset().union(*of.transactions.values()) if of.transactions else frozenset()
        with_fraud = sum(1 for found in of.transactions.values() if found & self.frauds)
        return {
            "hits": len(of.hits),
            "subjects": len({subject for _, subject in of.hits.values()}),
            "hits_a_day": round(len(of.hits) / len(self.keys), 2) if self.keys else 0.0,
            "most_in_a_day": max(by_key, default=0),
            "hits_with_known_fraud": with_fraud,
            "frauds_touched": len(touched & self.frauds),
            "frauds_known": len(self.frauds),
        }

    @property
    def difference(self) -> dict[str, int]:
        """Hits that are new with the other numbers, gone, and the same.

        A hit may bear another name because its numbers begin it at another payment: it is the same where it is about
        the same subject and rests on a transaction in common.
        """
        then, now = set(self.in_force.hits), set(self.tried.hits)
        before = self.in_force.places(then - now)
        new = sum(not (places & before) for places in self.tried.each_place(now - then))
        after = self.tried.places(now - then)
        gone = sum(not (places & after) for places in self.in_force.each_place(then - now))
        return {"new": new, "gone": gone, "same": len(now) - new}


def backtest(
    ws: Workspace,
    portfolio: Portfolio,
    rules: Mapping[str, Rule],
    name: str,
    *,
    first: str,
    last: str,
    instead: Mapping[str, str] | None = None,
) -> Backtest:
    """Run one rule over partitions of the past, each as of its end, with the numbers in force and with others.

    Sums of single partitions that are lacking are written, as ``comply`` would; hits are not.

    Parameters
    ----------
    first, last
        Partitions, both included.
    instead
        Number → another value, as the YAML would write it.

    Raises
    ------
    ContractError
        There is no such rule, number, or partition.
    """
    if name not in rules:
        raise ContractError(f"there is no rule {name!r}", where="rules", remedy="see 'fraudops rules list'")
    rule = rules[name]
    values = {number: _value(rule, number, text) for number, text in (instead or {}).items()}
    available = ws.store.keys("transactions", portfolio.name)
    keys = [key for key in available if first <= key <= last]
    if not keys:
        raise ContractError(f"there are no transactions from {first} to {last}", where=portfolio.name)
    runner = Runner.of(ws, portfolio, {name: rule})
    in_force = _try(runner, keys, available, {})
    tried = _try(runner, keys, available, values) if values else in_force
    now = portfolio.partitioning.end(available[-1])
    frauds = known_frauds(ws, portfolio, as_of=now, first=keys[0], last=keys[-1])
    return Backtest(name, keys, dict(instead or {}), in_force, tried, frozenset(frauds))


def _value(rule: Rule, number: str, text: str) -> Value:
    if number not in rule.definition.numbers:
        known = ", ".join(sorted(rule.definition.numbers)) or "none"
        raise ContractError(f"there is no number {number!r}", where=rule.id, remedy=f"its numbers: {known}")
    try:
        return value_of(rule.definition.numbers[number].unit, text)
    except ValueError as error:
        raise ContractError(str(error), where=f"{rule.id}.{number}") from None


def _try(runner: Runner, keys: list[str], available: list[str], instead: Mapping[str, Value]) -> Tried:
    hits: dict[str, tuple[str, str]] = {}
    transactions: dict[str, frozenset[str]] = {}
    for key in keys:
        for rule, _, hit in runner.find(runner.planned(key, available, instead)):
            number = runner.id_of(rule, hit)
            hits.setdefault(number, (key, hit.subject))
            transactions[number] = transactions.get(number, frozenset()) | frozenset(hit.transactions)
    return Tried(hits, transactions)
