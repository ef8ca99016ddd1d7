"""Reads what the rules of one partition need, as it was known at its end; and says what that was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudops import reference
from fraudops.labels import known_frauds
from fraudops.portfolio import CUSTOMERS_PROTECTED
from fraudops.portfolio.iso import minor_digits
from fraudops.rules import CASH, PROFILES
from fraudops.rules.calendar import BusinessCalendar
from fraudops.rules.conversion import Rates
from fraudops.rules.history import CASH_IN, CASH_OUT, IN, OUT, Day, History, facet_of_country, keys_of
from fraudops.rules.inputs import Before, Inputs
from fraudops.rules.loading import PAST, rows_of, with_base
from fraudops.rules.numbers import Numbers
from fraudops.rules.profiles import Profiler
from fraudops.rules.registry import Rule
from fraudops.rules.rows import Ints, Mask, Rows, digests_of, distinct
from fraudops.store import Among, Input

_READERS = {"customers": reference.customers, "identities": reference.identities, "watchlist": reference.watchlist}
_RECENT = 8
"""Partitions before this one whose sums are kept in memory: rules ask for all accounts in them, each by itself."""


@dataclass(frozen=True)
class Plan:
    """What the rules of one partition need.

    Attributes
    ----------
    rules
        Those in force, each with its numbers.
    rows, cash, history
        Keys of the partitions before it of which transactions, cash and sums are needed.
    reaches
        Rule → those of ``rows`` that it needs; older ones are read for other rules' suspects alone.
    previous
        The partition before it, if only retention has removed it; None for the first.
    begins
        The first partition that there is; what it changes lies within the days above, and so in ``inputs``.
    inputs
        Everything that the hits depend on.
    """

    key: str
    rules: tuple[tuple[Rule, Numbers], ...]
    rows: tuple[str, ...]
    cash: tuple[str, ...]
    history: tuple[str, ...]
    reaches: dict[str, frozenset[str]]
    previous: str | None
    begins: str
    inputs: tuple[Input, ...]

    def wants(self, name: str) -> bool:
        """Whether one of the rules needs customers, identities, the list, or frauds."""
        return any(getattr(rule.needs, name) for rule, _ in self.rules)


def plan(profiler: Profiler, key: str, rules: Sequence[tuple[Rule, Numbers]], available: Sequence[str]) -> Plan:
    """What the rules need, by the numbers in force; the profiles of those partitions are written where they lack."""
    portfolio, ws = profiler.portfolio, profiler.ws
    partitioning = portfolio.partitioning
    start = partitioning.start(key)

    def before(of: str, *some: tuple[Rule, Numbers]) -> tuple[str, ...]:
        days = max((rule.needs.days(of, numbers) for rule, numbers in some), default=0)
        earliest = start.timestamp() - days * 86_400
        return tuple(k for k in available if k < key and partitioning.start(k).timestamp() >= earliest)

    rows, cash, history = before("rows", *rules), before("cash", *rules), before("history", *rules)
    reaches = {item[0].id: frozenset(before("rows", item)) for item in rules}
    profiler.ensure([*history, *cash, key])
    inputs = [profiler.transactions(k).as_input() for k in (*rows, key)]
    for dataset, keys in ((CASH, (*cash, key)), (PROFILES, history)):
        inputs += [found.as_input() for k in keys if (found := profiler.manifest(dataset, k)) is not None]
    wanted = ["holidays", "rates"]
    for name, dataset in (("customers", "customers"), ("identities", CUSTOMERS_PROTECTED), ("watchlist", "watchlist")):
        wanted += [dataset] if any(getattr(rule.needs, name) for rule, _ in rules) else []
    for dataset in wanted:
        inputs += profiler.arrived(dataset, key)
    if any(rule.needs.frauds for rule, _ in rules):
        for feed in portfolio.labels.datasets:
            told = [k for k in ws.store.keys(feed, portfolio.name) if k <= key]
            inputs += [ws.store.require(feed, portfolio.name, k).as_input() for k in told]
    ordered = tuple(sorted(set(inputs), key=lambda i: (i.dataset, i.key)))
    known = profiler.removed.union(available)
    previous = max((k for k in known if k < key), default=None)
    return Plan(key, tuple(rules), rows, cash, history, reaches, previous, available[0], ordered)


def gather(profiler: Profiler, wanted: Plan) -> Inputs:
    """All that the rules may look at.

    Of the past that is what concerns the accounts that a rule suspects: first by the partition and the days just before
    it, then by what is usual for those that are left. So the farther past is read once, and little of it is kept.
    """
    inputs = _present(profiler, wanted)
    names = inputs.transactions.account.names
    masks = [suspected(inputs, rule, numbers) for rule, numbers in wanted.rules]
    inputs = replace(inputs, history=inputs.history.narrowed(_kept(inputs, _any(masks, len(names)))))
    suspects = [
        still_suspected(inputs, rule, numbers, found)
        for (rule, numbers), found in zip(wanted.rules, masks, strict=True)
    ]
    inputs = replace(inputs, history=inputs.history.narrowed(_kept(inputs, _any(suspects, len(names)))))
    return replace(inputs, transactions=_with_past(profiler, wanted, names, suspects))


def suspected(inputs: Inputs, rule: Rule, numbers: Numbers) -> Mask:
    """Accounts (by code) of which a rule wants to see more than the partition; ``inputs`` holds that alone."""
    if rule.suspects is not None:
        return rule.suspects(inputs, numbers)
    return np.full(len(inputs.transactions.account.names), rule.needs.transactions)


def still_suspected(inputs: Inputs, rule: Rule, numbers: Numbers, suspects: Mask) -> Mask:
    """Those of its suspects that do more than usual; ``inputs`` holds the history of suspects alone."""
    return suspects if rule.unusual is None else suspects & rule.unusual(inputs, numbers, suspects)


# -- inside -------------------------------------------------------------------------------------------


def _present(profiler: Profiler, wanted: Plan) -> Inputs:
    """The partition, and of what went before the cash; no history is read yet."""
    ws, portfolio, compliance = profiler.ws, profiler.portfolio, profiler.compliance
    partitioning = portfolio.partitioning
    start, as_of = partitioning.start(wanted.key), partitioning.end(wanted.key)
    rates, _ = profiler.rates(wanted.key)
    holidays = reference.holidays(ws, portfolio, as_of)

    frauds = pa.array(known_frauds(ws, portfolio, as_of=as_of), pa.string()) if wanted.wants("frauds") else None
    loaded = profiler.loaded(wanted.key)
    today = loaded.table
    return Inputs(
        key=wanted.key,
        start=start,
        as_of=as_of,
        currency=compliance.currency,
        digits=minor_digits(compliance.currency),
        calendar=BusinessCalendar.of(
            holidays, jurisdiction=compliance.jurisdiction, timezone=compliance.timezone, cutoff=compliance.cutoff_time
        ),
        transactions=loaded.rows,
        cash=rows_of(*_cash(profiler, wanted, today, rates)),
        history=_history(profiler, wanted),
        **_known_then(profiler, wanted, as_of),
        holidays=holidays,
        frauds=frauds,
        before=_before(profiler, wanted),
    )


def _with_past(profiler: Profiler, wanted: Plan, names: pa.Array, suspects: Sequence[Mask]) -> Rows:
    """Transactions of the suspects of each rule, as far back as the rule looks.

    None of other accounts, of which there is no history: it would look as if they had none.
    """
    rates, _ = profiler.rates(wanted.key)
    tables = []
    for key in wanted.rows:
        looking = [
            mask for (rule, _), mask in zip(wanted.rules, suspects, strict=True) if key in wanted.reaches[rule.id]
        ]
        accounts = names.filter(pa.array(_any(looking, len(names))))
        tables += [_transactions(profiler, key, rates, accounts)] if len(accounts) else []
    today = profiler.loaded(wanted.key).table
    accounts = names.filter(pa.array(_any(suspects, len(names))))
    tables.append(today.filter(pc.is_in(today["account"], value_set=accounts)))
    return rows_of(tables, [*[False] * (len(tables) - 1), True])


def _any(masks: Sequence[Mask], count: int) -> Mask:
    return np.logical_or.reduce([np.zeros(count, dtype=bool), *masks])


def _before(profiler: Profiler, wanted: Plan) -> Before | None:
    if wanted.previous is None:
        return None
    partitioning = profiler.portfolio.partitioning
    as_of = partitioning.end(wanted.previous)
    day = partitioning.start(wanted.previous).date()
    return Before(day=day, as_of=as_of, **_known_then(profiler, wanted, as_of))


def _known_then(profiler: Profiler, wanted: Plan, as_of: datetime) -> dict[str, pa.Table | None]:
    """Customers, their identities and the list as they were known at a moment, as far as a rule needs them."""
    return {
        name: read(profiler.ws, profiler.portfolio, as_of) if wanted.wants(name) else None
        for name, read in _READERS.items()
    }


def _transactions(profiler: Profiler, key: str, rates: Rates, accounts: pa.Array) -> pa.Table:
    """Some accounts' transactions of a partition of the past."""
    store, shape = profiler.ws.store, profiler.shape
    repeating = [name for name in (shape.stored.get("direction"), shape.currency) if name is not None]
    among = Among(shape.stored["account"], accounts)
    table = store.read(profiler.transactions(key), shape.columns(PAST), among=among, repeating=repeating)
    return with_base(shape.renamed(table), rates, shape.digits)[0]


def _cash(profiler: Profiler, wanted: Plan, today: pa.Table, rates: Rates) -> tuple[list[pa.Table], list[bool]]:
    current = today.filter(today["cash"])
    persons = pc.unique(pa.concat_arrays([current[name].combine_chunks() for name in ("customer", "on_behalf_of")]))
    persons = persons.drop_null()
    tables = []
    for key in wanted.cash:
        table = profiler.read(CASH, key)
        own = [pc.is_in(table[name], value_set=persons) for name in ("customer", "on_behalf_of")]
        tables.append(with_base(table.filter(pc.or_(*own)), rates, profiler.shape.digits)[0])
    return [*tables, current], [*[False] * len(tables), True]


def _history(profiler: Profiler, wanted: Plan) -> History:
    def start(key: str) -> int:
        return round(profiler.portfolio.partitioning.start(key).timestamp()) * 1_000_000

    recent = wanted.history[-_RECENT:]
    days = [Day(start(key), _reader(profiler, key, remembers=key in recent)) for key in wanted.history]
    return History(days, start(wanted.begins))


def _kept(inputs: Inputs, mask: Mask) -> Ints:
    """Keys of the history that detectors may ask for: of suspects, and of persons with cash. Ascending."""
    rows = inputs.transactions
    accounts = rows.account.digests[mask]
    countries = np.array(
        [facet_of_country(name) for name in rows.counterparty_country.names.to_pylist()], dtype=np.int64
    )
    abroad = np.flatnonzero((rows.account.codes >= 0) & (rows.counterparty_country.codes >= 0))
    abroad = abroad[mask[rows.account.codes[abroad]]]
    cash = rows.where(rows.cash)
    keys = [keys_of(accounts, np.full(len(accounts), facet)) for facet in (IN, OUT)]
    keys.append(
        keys_of(rows.account.digests[rows.account.codes[abroad]], countries[rows.counterparty_country.codes[abroad]])
    )
    for column in (cash.customer, cash.on_behalf_of):
        persons = digests_of(column.names.take(pa.array(distinct(column.codes[column.codes >= 0]))).to_pylist())
        keys += [keys_of(persons, np.full(len(persons), facet)) for facet in (CASH_IN, CASH_OUT)]
    return distinct(np.concatenate(keys))


def _reader(profiler: Profiler, key: str, *, remembers: bool) -> Callable[[Sequence[str]], pa.Table]:
    held: list[pa.Table] = []

    def read(columns: Sequence[str]) -> pa.Table:
        if not remembers:
            return profiler.read(PROFILES, key, columns)
        if not held:
            held.append(profiler.read(PROFILES, key))
        return held[0].select(columns)

    return read
