"""The step ``comply``: runs the rules that are in force over partitions, and stores what they found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import select

from fraudops import __version__
from fraudops.database import RuleHit
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.portfolio.compliance import Compliance
from fraudops.rules import HITS, HITS_PROTECTED, PROFILES
from fraudops.rules.definition import Value
from fraudops.rules.gathering import Plan, gather, plan
from fraudops.rules.hit import Hit
from fraudops.rules.hit_ids import read_hit_ids
from fraudops.rules.numbers import Numbers
from fraudops.rules.profiles import SECTIONS, Profiler
from fraudops.rules.registry import Rule, in_force
from fraudops.store import Input, Manifest, canonical_json, removed_keys, sha256_of
from fraudops.workspace import Workspace

_AROUND = 7
"""Days around the partition's whose numbers may count as well: business days are rolled forward."""

SCHEMA = pa.schema(
    [
        ("hit_id", pa.string()),
        ("rule", pa.string()),
        ("severity", pa.string()),
        ("kind", pa.string()),
        ("subject", pa.string()),
        ("on", pa.date32()),
        ("because", pa.string()),
        ("transactions", pa.list_(pa.string())),
        ("values", pa.string()),
        ("numbers", pa.string()),
    ]
)
"""Columns of ``rule_hits``; ``values`` and ``numbers`` are JSON."""
PROTECTED_SCHEMA = pa.schema([("hit_id", pa.string()), ("name", pa.string()), ("value", pa.string())])


@dataclass(frozen=True)
class Complied:
    """What became of one partition.

    Attributes
    ----------
    written
        Whether it was run now; else its hits were up to date, or its past is gone and they stay what they were.
    hits
        Rule → how many, for every rule that was in force.
    unconverted
        Currency → transactions that no rule saw the amount of, because there is no rate.
    """

    key: str
    written: bool
    hits: dict[str, int]
    unconverted: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def comply(ws: Workspace, portfolio: Portfolio, keys: Iterable[str], rules: Mapping[str, Rule]) -> list[Complied]:
    """Run the rules over some partitions; one whose inputs, rules and numbers have not changed is left alone.

    Each partition is looked at as of its end: by the numbers in force on its day, with the customers, lists, holidays,
    rates and reports known by then. The order of the partitions changes nothing.

    Parameters
    ----------
    keys
        Partitions; those without transactions are left out.
    rules
        All that there are (:func:`fraudops.rules.registry.read_rules`).

    Raises
    ------
    ContractError
        The portfolio has no section ``compliance``.
    """
    runner = Runner.of(ws, portfolio, rules)
    available = ws.store.keys("transactions", portfolio.name)
    return [runner.run(key, available) for key in sorted(set(keys) & set(available))]


def undone(
    ws: Workspace, portfolio: Portfolio, rules: Mapping[str, Rule], *, keys: Iterable[str] | None = None
) -> list[str]:
    """Partitions (None: of all) whose hits are missing, or were found from something that has changed since."""
    runner = Runner.of(ws, portfolio, rules)
    available = ws.store.keys("transactions", portfolio.name)
    return [key for key in (available if keys is None else keys) if not runner.is_current(key, available)]


def unraised(ws: Workspace, portfolio: Portfolio) -> list[str]:
    """Partitions of which hits are stored that nobody has raised: a run was broken off in between."""
    with ws.transaction() as session:
        raised = set(session.scalars(select(RuleHit.hit_id).where(RuleHit.portfolio == portfolio.name)))
    found = []
    for key in ws.store.keys(HITS, portfolio.name):
        manifest = ws.store.require(HITS, portfolio.name, key)
        if manifest.rows and set(ws.store.read(manifest, ["hit_id"])["hit_id"].to_pylist()) - raised:
            found.append(key)
    return found


def section(portfolio: Portfolio) -> Compliance:
    """The section ``compliance``.

    Raises
    ------
    ContractError
        There is none.
    """
    if portfolio.compliance is None:
        raise ContractError(
            "there are no rules for this portfolio",
            where=portfolio.name,
            remedy="add a section compliance to its YAML (docs/rules.md)",
        )
    return portfolio.compliance


@dataclass(frozen=True)
class Runner:
    """Runs the rules of one portfolio."""

    profiler: Profiler
    rules: Mapping[str, Rule]
    ids: Mapping[str, str] = field(default_factory=dict)
    """See :mod:`fraudops.rules.hit_ids`."""

    @classmethod
    def of(cls, ws: Workspace, portfolio: Portfolio, rules: Mapping[str, Rule]) -> Runner:
        """Raises ContractError where the portfolio has no section ``compliance``."""
        return cls(Profiler(ws, portfolio, section(portfolio)), rules, read_hit_ids(ws.store, portfolio.name))

    def chosen(self, key: str, instead: Mapping[str, Value] | None = None) -> list[tuple[Rule, Numbers]]:
        """Rules in force on the partition's day, each with its numbers of that day."""
        compliance, day = self.profiler.compliance, self.day(key)
        found = in_force(self.rules.values(), day, jurisdiction=compliance.jurisdiction, off=compliance.rules.off)
        rates, _ = self.profiler.rates(key)
        return [(rule, Numbers(rule.definition, day, to_minor=rates.minor, instead=instead)) for rule in found]

    def day(self, key: str) -> date:
        """The partition's date."""
        return self.profiler.portfolio.partitioning.start(key).date()

    def planned(self, key: str, available: Sequence[str], instead: Mapping[str, Value] | None = None) -> Plan:
        """What the partition's rules need."""
        return plan(self.profiler, key, self.chosen(key, instead), available)

    def find(self, wanted: Plan) -> list[tuple[Rule, Numbers, Hit]]:
        """All hits, in the order of rule and hit id."""
        inputs = gather(self.profiler, wanted)
        found = [(rule, numbers, hit) for rule, numbers in wanted.rules for hit in rule.detect(inputs, numbers)]
        return sorted(found, key=lambda item: (item[0].id, self.id_of(item[0], item[2])))

    def id_of(self, rule: Rule, hit: Hit) -> str:
        """The id under which a hit is known."""
        made = hit.id_for(self.profiler.portfolio.name, rule.id)
        return self.ids.get(made, made)

    def is_current(self, key: str, available: Sequence[str]) -> bool:
        """Whether the partition's hits are what a run would find."""
        found = self.profiler.ws.store.manifest(HITS, self.profiler.portfolio.name, key)
        if found is None:
            return False
        return self._stands(found, self.planned(key, available))

    def run(self, key: str, available: Sequence[str]) -> Complied:
        """Find and store the hits of a partition, where they are not up to date."""
        store, name = self.profiler.ws.store, self.profiler.portfolio.name
        wanted = self.planned(key, available)
        found = store.manifest(HITS, name, key)
        stands = found is not None and self._stands(found, wanted)
        manifest = found if found is not None and stands else self._write(wanted)
        return Complied(key, not stands, dict(manifest.facts["hits"]), dict(manifest.facts["unconverted"]))

    # -- inside ---------------------------------------------------------------------------------------

    def _stands(self, found: Manifest, wanted: Plan) -> bool:
        if (found.inputs, found.config, found.code) == (wanted.inputs, self._config(wanted), __version__):
            return True
        # What cannot be found anew, because retention has removed some of what it rests on, stays as it is.
        return bool(self._gone(found.inputs))

    def _gone(self, inputs: Sequence[Input]) -> list[Input]:
        store, name = self.profiler.ws.store, self.profiler.portfolio.name
        gone = {dataset: set(removed_keys(store, dataset, name)) for dataset in {item.dataset for item in inputs}}
        return [item for item in inputs if item.key in gone[item.dataset]]

    def _config(self, wanted: Plan) -> str:
        """Digest of the YAML's sections, and of rules and numbers as far as they bear on this partition."""
        day = self.day(wanted.key)
        around = [day + timedelta(days=number) for number in range(-_AROUND, _AROUND + 1)]
        numbers = {
            rule.id: [rule.definition.severity, [found.on(other).explained() for other in around]]
            for rule, found in wanted.rules
        }
        sections = self.profiler.portfolio.digest_of(*SECTIONS)
        # What became so since the partition before is found; which one that is may change as long as days arrive.
        previous = wanted.previous if wanted.wants("customers") or wanted.wants("watchlist") else None
        return sha256_of(canonical_json([sections, numbers, previous]))

    def _write(self, wanted: Plan) -> Manifest:
        store, portfolio = self.profiler.ws.store, self.profiler.portfolio
        found = self.find(wanted)
        rows = [
            row_of(portfolio.name, rule, numbers, hit) | {"hit_id": self.id_of(rule, hit)}
            for rule, numbers, hit in found
        ]
        protected = [
            {"hit_id": row["hit_id"], "name": name, "value": value}
            for row, (_, _, hit) in zip(rows, found, strict=True)
            for name, value in sorted(hit.protected.items())
        ]
        counts = {rule.id: 0 for rule, _ in wanted.rules}
        for rule, _, _ in found:
            counts[rule.id] += 1
        profile = self.profiler.manifest(PROFILES, wanted.key)
        facts = {"hits": counts, "unconverted": dict(profile.facts["unconverted"]) if profile is not None else {}}
        config = self._config(wanted)
        store.write(
            HITS_PROTECTED,
            portfolio.name,
            wanted.key,
            pa.Table.from_pylist(protected, schema=PROTECTED_SCHEMA),
            config=config,
            inputs=wanted.inputs,
        )
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        return store.write(HITS, portfolio.name, wanted.key, table, config=config, inputs=wanted.inputs, facts=facts)


def row_of(portfolio: str, rule: Rule, numbers: Numbers, hit: Hit) -> dict[str, Any]:
    """A hit as ``rule_hits`` keeps it, with the numbers that it was compared with."""
    return {
        "hit_id": hit.id_for(portfolio, rule.id),
        "rule": rule.id,
        "severity": rule.definition.severity,
        "kind": hit.kind,
        "subject": hit.subject,
        "on": hit.on,
        "because": hit.because,
        "transactions": list(hit.transactions),
        "values": _json(hit.values),
        "numbers": _json(numbers.on(hit.on).explained()),
    }


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
