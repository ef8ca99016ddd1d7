"""Sums by account, and the cash, of single partitions: written once, so that rules need not read the past again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from fraudops import __version__
from fraudops.portfolio import Portfolio
from fraudops.portfolio.compliance import Compliance
from fraudops.reference import manifests as known_manifests
from fraudops.reference import rates as known_rates
from fraudops.rules import CASH, PROFILES
from fraudops.rules.conversion import Rates
from fraudops.rules.history import profile
from fraudops.rules.loading import Shape, rows_of, with_base
from fraudops.store import Input, Manifest, removed_keys
from fraudops.workspace import Workspace

SECTIONS = ("columns", "currency", "minor_digits", "partition_hours", "compliance")
_REMEMBERED = 256 * 2**20
"""Bytes."""


@dataclass
class Profiler:
    """Writes the profiles of one portfolio; remembers manifests and rates, of which a run asks again and again."""

    ws: Workspace
    portfolio: Portfolio
    compliance: Compliance
    _manifests: dict[tuple[str, str], Manifest | None] = field(default_factory=dict)
    _tables: OrderedDict[tuple[str, str], pa.Table] = field(default_factory=OrderedDict)
    _rates: dict[tuple[Input, ...], Rates] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shape = Shape.of(self.portfolio, self.compliance)
        self.config = self.portfolio.digest_of(*SECTIONS)
        self._removed = set(removed_keys(self.ws.store, "transactions", self.portfolio.name))

    def manifest(self, dataset: str, key: str) -> Manifest | None:
        """A partition's manifest, read once."""
        place = dataset, key
        if place not in self._manifests:
            self._manifests[place] = self.ws.store.manifest(dataset, self.portfolio.name, key)
        return self._manifests[place]

    def read(self, dataset: str, key: str) -> pa.Table:
        """A partition's rows; the last ones that were read are remembered, as far as they are small."""
        manifest = self.manifest(dataset, key)
        if manifest is None:
            return self.ws.store.read_partition(dataset, self.portfolio.name, key)
        place = f"{dataset}/{key}", manifest.data_digest
        found = self._tables.pop(place, None)
        if found is None:
            found = self.ws.store.read(manifest)
        self._tables[place] = found
        while sum(table.nbytes for table in self._tables.values()) > _REMEMBERED and len(self._tables) > 1:
            self._tables.popitem(last=False)
        return found

    def rates(self, key: str) -> tuple[Rates, tuple[Input, ...]]:
        """Rates as they were known at a partition's end, and the partitions that they came from."""
        as_of = self.portfolio.partitioning.end(key)
        inputs = tuple(item.as_input() for item in known_manifests(self.ws, self.portfolio, "rates", as_of))
        if inputs not in self._rates:
            table = known_rates(self.ws, self.portfolio, as_of)
            self._rates = {inputs: Rates.of(table, self.compliance.currency)}
        return self._rates[inputs], inputs

    def ensure(self, keys: Iterable[str]) -> None:
        """Write the profiles of partitions that have none, or an outdated one.

        One of a partition whose transactions retention has removed stays what it was.
        """
        for key in sorted(set(keys)):
            if key not in self._removed:
                self._write(key)

    def _write(self, key: str) -> None:
        transactions = self.ws.store.require("transactions", self.portfolio.name, key)
        rates, inputs = self.rates(key)
        inputs = tuple(sorted((transactions.as_input(), *inputs), key=lambda i: (i.dataset, i.key)))
        if all(self._is_current(dataset, key, inputs) for dataset in (CASH, PROFILES)):
            return
        table = self.shape.renamed(self.ws.store.read(transactions, self.shape.columns()))
        based, missing = with_base(table, rates, self.shape.digits)
        cash = table.filter(pc.fill_null(table["cash"], False))
        unconverted = {item.currency: item.rows for item in missing}
        for dataset, content in ((CASH, cash), (PROFILES, profile(rows_of([based], [True])))):
            self._manifests[dataset, key] = self.ws.store.write(
                dataset,
                self.portfolio.name,
                key,
                content,
                config=self.config,
                inputs=inputs,
                facts={"unconverted": unconverted},
            )

    def _is_current(self, dataset: str, key: str, inputs: tuple[Input, ...]) -> bool:
        found = self.manifest(dataset, key)
        return found is not None and (found.inputs, found.config, found.code) == (inputs, self.config, __version__)
