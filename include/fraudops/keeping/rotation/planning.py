"""What every partition of a portfolio becomes under further keys: planned beside it, so that nothing has changed yet.

A plan names the manifest that it was made for. Whoever plans again, after an interruption or because something was
written meanwhile, plans anew what has changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from fraudops.errors import FraudopsError
from fraudops.keeping.rotation.folding import ACCOUNT, folded_hits, folded_table, token_columns
from fraudops.portfolio import Portfolio
from fraudops.rules import CASH, HITS, PROFILES
from fraudops.rules.history import profile
from fraudops.rules.profiles import Profiler
from fraudops.rules.registry import Rule
from fraudops.rules.running import Runner, section
from fraudops.store import Manifest, sha256_of
from fraudops.store.turning import KEPT, PRESENT, Turn, TurningStore
from fraudops.workspace import Workspace

LINEAGE = "lineage"
TURNED = ("transactions", LINEAGE, CASH, PROFILES, HITS)
"""Datasets in which tokens stand, or that speak of such a partition's files: in the order in which they are planned."""
_EMBEDDED = "transactions"
"""Fact of a lineage that is the manifest of its rows."""

Tell = Callable[[str], None]
Change = Callable[[str, Manifest], Manifest | None]
"""From a manifest's place in its folder, and the manifest, to what takes its place."""


@dataclass(frozen=True)
class Planner:
    """Plans the turn of one portfolio.

    Attributes
    ----------
    ws
        With a store that is in the middle of a turn.
    keys
        The keys that are new, in their order.
    """

    ws: Workspace
    store: TurningStore
    portfolio: Portfolio
    keys: Sequence[bytes]
    rules: Mapping[str, Rule]

    def plan(self, before: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Plan everything; returns the ids of hits as they will be made → those under which they are known.

        Parameters
        ----------
        before
            What an earlier call has returned: it stands where nothing had to be planned anew.
        """
        planned = self._plan_all()
        if before is not None and not planned:
            return before
        return self._hit_ids() if self.portfolio.compliance is not None else {}

    def _plan_all(self) -> int:
        """Plan what is not planned yet; returns how many partitions."""
        count = 0
        for key in self.store.all_keys("transactions", self.portfolio.name):
            count += self._plan("transactions", key, self._folded("transactions"), extra=self._only_in_lineage(key))
        for key in self.store.all_keys(LINEAGE, self.portfolio.name):
            count += self._plan(LINEAGE, key, self._lineage)
        if self.portfolio.compliance is None:
            return count
        profiles = partial(self._profile, Profiler(self.ws, self.portfolio, section(self.portfolio)))
        for dataset, change in ((CASH, self._folded(CASH)), (PROFILES, profiles), (HITS, self._hits)):
            for key in self.store.all_keys(dataset, self.portfolio.name):
                count += self._plan(dataset, key, change)
        return count

    # -- one partition --------------------------------------------------------------------------------

    def _plan(self, dataset: str, key: str, change: Change, *, extra: Mapping[str, Manifest] | None = None) -> bool:
        """Plan what becomes of each manifest of a partition; whether that was not planned yet."""
        present = self.store.present(dataset, self.portfolio.name, key)
        known = self.store.plan(dataset, self.portfolio.name, key)
        now = {name: sha256_of(content) for name, content in present.items()}
        if now and {name: turn.was for name, turn in known.items() if not name.startswith(KEPT)} == now:
            return False
        manifests = {name: Manifest.model_validate_json(content) for name, content in present.items()}
        turns = {name: Turn(now[name], change(name, manifest)) for name, manifest in manifests.items()}
        named = {manifest.files for manifest in manifests.values()}
        for name, manifest in (extra or {}).items():
            if manifest.files not in named:
                turns[f"{KEPT}{name}"] = Turn("", change(name, manifest))
        if turns:
            self.store.put_plan(dataset, self.portfolio.name, key, turns)
        return bool(turns)

    def _folded(self, dataset: str) -> Change:
        columns = token_columns(self.portfolio, dataset)

        def change(_: str, manifest: Manifest) -> Manifest:
            table = self.store.read(manifest)
            return self.store.turned(manifest, folded_table(table, columns, self.keys))

        return change

    def _only_in_lineage(self, key: str) -> dict[str, Manifest]:
        """Rows of which only a lineage speaks: those that an interrupted landing may go back to."""
        found = {}
        for content in self.store.present(LINEAGE, self.portfolio.name, key).values():
            manifest = Manifest.model_validate_json(content)
            if _EMBEDDED in manifest.facts:
                rows = Manifest.model_validate(manifest.facts[_EMBEDDED])
                folder = self.store.path("transactions", self.portfolio.name, f"date={key}")
                if all((folder / file.name).exists() for file in rows.files):
                    found[rows.content_digest] = rows
        return found

    def _lineage(self, _: str, manifest: Manifest) -> Manifest:
        """The lineage of the same rows, which speaks of the files in which they lie then."""
        if _EMBEDDED not in manifest.facts:
            return manifest
        rows = Manifest.model_validate(manifest.facts[_EMBEDDED])
        plan = self.store.plan("transactions", self.portfolio.name, manifest.key)
        turned = (turn.manifest for turn in plan.values())
        after = next((one for one in turned if one is not None and one.data_digest == rows.data_digest), None)
        if after is None:
            return manifest
        rows = rows.model_copy(update={"files": after.files, "stands_for": after.stands_for})
        return manifest.model_copy(update={"facts": {**manifest.facts, _EMBEDDED: rows.model_dump(mode="json")}})

    def _profile(self, profiler: Profiler, name: str, manifest: Manifest) -> Manifest | None:
        """Sums by account, computed anew: accounts are told by digests. What is out of date goes, and comes again."""
        if name != PRESENT or not profiler.is_current(PROFILES, manifest.key):
            return None
        return self.store.turned(manifest, profile(profiler.loaded(manifest.key).rows))

    def _hits(self, _: str, manifest: Manifest) -> Manifest:
        return self.store.turned(manifest, folded_hits(self.store.read(manifest), self.keys))

    # -- the rules ------------------------------------------------------------------------------------

    def _hit_ids(self) -> dict[str, str]:
        """What the rules find again, by the tokens to come: which hit it is.

        Where retention has removed what a hit rests on, or a rule has changed, it is not found again, and needs no id.
        """
        runner = replace(Runner.of(self.ws, self.portfolio, self.rules), ids={})
        available = self.store.keys("transactions", self.portfolio.name)
        ids: dict[str, str] = {}
        for key in sorted(set(self.store.keys(HITS, self.portfolio.name)) & set(available)):
            stored = self.store.read_partition(HITS, self.portfolio.name, key).to_pylist()
            known = {_told(row): row["hit_id"] for row in stored if row["kind"] == ACCOUNT}
            if known:
                ids |= dict(self._found_again(runner, key, available, known))
        return ids

    def _found_again(
        self, runner: Runner, key: str, available: Sequence[str], known: Mapping[tuple[Any, ...], str]
    ) -> Iterator[tuple[str, str]]:
        try:
            found = runner.find(runner.planned(key, available))
        except FraudopsError:
            return  # what the rules look at is gone: they look at it no more
        for rule, _, hit in found:
            told = (rule.id, hit.subject, hit.on, hit.because, tuple(hit.transactions))
            made = runner.id_of(rule, hit)
            if told in known and known[told] != made:
                yield made, known[told]


def planner_of(ws: Workspace, portfolio: Portfolio, keys: Sequence[bytes], rules: Mapping[str, Rule]) -> Planner:
    """A planner of the workspace's store."""
    store = TurningStore.of(ws.store)
    return Planner(replace(ws, store=store), store, portfolio, keys, rules)


def _told(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """By what a hit is known again, its id apart."""
    return row["rule"], row["subject"], row["on"], row["because"], tuple(row["transactions"])
