"""Sums by account, and the cash, of single partitions: written once, so that rules need not read the past again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from fraudops import __version__
from fraudops.portfolio import Portfolio
from fraudops.portfolio.compliance import Compliance
from fraudops.reference import rates as known_rates
from fraudops.rules import CASH, PROFILES
from fraudops.rules.conversion import Missing, Rates
from fraudops.rules.history import profile
from fraudops.rules.loading import Shape, rows_of, with_base
from fraudops.rules.rows import Rows
from fraudops.store import Input, Manifest, removed_keys
from fraudops.workspace import Workspace

SECTIONS = ("columns", "currency", "minor_digits", "partition_hours", "compliance")
_REMEMBERED = 256 * 2**20
"""Bytes."""
_SMALL = 100_000
"""Rows."""


@dataclass(frozen=True)
class Loaded:
    """A partition's transactions.

    Attributes
    ----------
    table
        The rules' columns, with ``base_minor``.
    rows
        The same, as detectors see them.
    missing
        Currencies without a rate.
    """

    table: pa.Table
    rows: Rows
    missing: tuple[Missing, ...]


@dataclass
class Profiler:
    """Writes the profiles of one portfolio; remembers manifests and rates, of which a run asks again and again."""

    ws: Workspace
    portfolio: Portfolio
    compliance: Compliance
    _manifests: dict[tuple[str, str], Manifest | None] = field(default_factory=dict)
    _tables: OrderedDict[tuple[str, str], pa.Table] = field(default_factory=OrderedDict)
    _arrived: dict[tuple[str, str], tuple[Input, ...]] = field(default_factory=dict)
    _known: dict[str, list[Manifest]] = field(default_factory=dict)
    _ensured: set[str] = field(default_factory=set)
    _held: int = 0
    _rates: dict[tuple[Input, ...], Rates] = field(default_factory=dict)
    _loaded: dict[tuple[Input, ...], Loaded] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shape = Shape.of(self.portfolio, self.compliance)
        self.config = self.portfolio.digest_of(*SECTIONS)
        self.removed = set(removed_keys(self.ws.store, "transactions", self.portfolio.name))

    def manifest(self, dataset: str, key: str) -> Manifest | None:
        """A partition's manifest, read once."""
        place = dataset, key
        if place not in self._manifests:
            self._manifests[place] = self.ws.store.manifest(dataset, self.portfolio.name, key)
        return self._manifests[place]

    def transactions(self, key: str) -> Manifest:
        """Manifest of a partition's transactions, which must be there."""
        found = self.manifest("transactions", key)
        return found or self.ws.store.require("transactions", self.portfolio.name, key)

    def read(self, dataset: str, key: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A partition's rows (None: all columns); the last small ones that were read are remembered."""
        manifest = self.manifest(dataset, key)
        if manifest is None:
            return self.ws.store.read_partition(dataset, self.portfolio.name, key)
        if manifest.rows > _SMALL:
            return self.ws.store.read(manifest, columns)
        place = f"{dataset}/{key}", manifest.data_digest
        found = self._tables.pop(place, None)
        if found is None:
            found = self.ws.store.read(manifest)
            self._held += found.nbytes
        self._tables[place] = found
        while self._held > _REMEMBERED and len(self._tables) > 1:
            self._held -= self._tables.popitem(last=False)[1].nbytes
        return found if columns is None else found.select(columns)

    def arrived(self, dataset: str, key: str) -> tuple[Input, ...]:
        """What a partition's end knew of a reference dataset: its partitions until then, each read once."""
        place = dataset, key
        if place not in self._arrived:
            if dataset not in self._known:
                keys = self.ws.store.keys(dataset, self.portfolio.name)
                self._known[dataset] = [self.ws.store.require(dataset, self.portfolio.name, k) for k in keys]
            as_of, lookback = self.portfolio.partitioning.end(key), self.compliance.reference_lookback
            ends = [(self.portfolio.partitioning.end(item.key), item) for item in self._known[dataset]]
            self._arrived[place] = tuple(
                item.as_input() for end, item in ends if end <= as_of and (lookback is None or end > as_of - lookback)
            )
        return self._arrived[place]

    def rates(self, key: str) -> tuple[Rates, tuple[Input, ...]]:
        """Rates as they were known at a partition's end, and the partitions that they came from."""
        inputs = self.arrived("rates", key)
        if inputs not in self._rates:
            table = known_rates(self.ws, self.portfolio, self.portfolio.partitioning.end(key))
            self._rates = {inputs: Rates.of(table, self.compliance.currency)}
        return self._rates[inputs], inputs

    def loaded(self, key: str) -> Loaded:
        """A partition's transactions as its rules see them; the last is remembered: sums and rules need the same."""
        rates, inputs = self.rates(key)
        transactions = self.transactions(key)
        place = (transactions.as_input(), *inputs)
        if place not in self._loaded:
            self._loaded = {}
            stored = self.ws.store.read(transactions, self.shape.columns())
            table, missing = with_base(self.shape.renamed(stored), rates, self.shape.digits)
            self._loaded = {place: Loaded(table, rows_of([table], [True]), missing)}
        return self._loaded[place]

    def ensure(self, keys: Iterable[str]) -> None:
        """Write the profiles of partitions that have none, or an outdated one; each is looked at once.

        One of a partition whose transactions retention has removed stays what it was.
        """
        for key in sorted(set(keys) - self._ensured - self.removed):
            self._write(key)
            self._ensured.add(key)

    def is_current(self, dataset: str, key: str) -> bool:
        """Whether a partition's profile, or its cash, is what would be written now."""
        return self._is_current(dataset, key, self._inputs(key))

    def _inputs(self, key: str) -> tuple[Input, ...]:
        transactions = self.transactions(key)
        return tuple(sorted((transactions.as_input(), *self.rates(key)[1]), key=lambda i: (i.dataset, i.key)))

    def _write(self, key: str) -> None:
        inputs = self._inputs(key)
        if all(self._is_current(dataset, key, inputs) for dataset in (CASH, PROFILES)):
            return
        loaded = self.loaded(key)
        cash = loaded.table.filter(pc.fill_null(loaded.table["cash"], False)).drop_columns(["base_minor"])
        unconverted = {item.currency: item.rows for item in loaded.missing}
        for dataset, content in ((CASH, cash), (PROFILES, profile(loaded.rows))):
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
