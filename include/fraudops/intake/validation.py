"""Validates a partition with Great Expectations, and tells people what it found.

Great Expectations is called directly, on the rows in memory. Its own Data Docs pages load their styles and
scripts from other people's servers and put values into HTML unescaped; so the page that we leave is rendered
here from its result: one file, nothing loaded from anywhere, equal bytes for equal rows.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from fraudops.intake.feeds import transactions_feed
from fraudops.intake.publication import PublishResult, publish
from fraudops.intake.suite import QUARANTINED, Check, Learned, checks_of
from fraudops.intake.validation_page import CheckLine, render_page
from fraudops.portfolio import Portfolio
from fraudops.store import Manifest, canonical_json
from fraudops.workspace import Workspace

__all__ = ["PublishResult", "ValidationOutcome", "publish", "validate"]

_AREA = "validation"


@dataclass(frozen=True)
class ValidationOutcome:
    """Whether a partition may be published, and if not, why."""

    key: str
    passed: bool
    checks: int
    failures: list[str]
    """Sentences: column, what was expected, what was observed."""
    report: str | None
    """Path of the page, below the store's root."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without anything confidential."""
        return asdict(self)


def validate(ws: Workspace, portfolio: Portfolio, key: str) -> ValidationOutcome:
    """Check the staged rows of a partition, or the published ones where nothing is staged.

    Leaves ``validation/portfolio=<P>/date=<key>/result.json`` and ``index.html`` in the store.
    """
    store, name = ws.store, portfolio.name
    manifest = store.staged("transactions", name, key) or store.manifest("transactions", name, key)
    learned = _learn(ws, portfolio, key)
    quarantined = _quarantined(ws, portfolio, key)
    lines = [_NOTHING] if manifest is None else _check(ws, portfolio, manifest, learned, quarantined)
    failures = [line.sentence for line in lines if not line.passed]
    content = {
        "portfolio": name,
        "key": key,
        "passed": not failures,
        "checks": len(lines),
        "failures": failures,
        "rows": manifest.rows if manifest else 0,
        "quarantined": quarantined,
        "data_digest": manifest.data_digest if manifest else None,
        "learned_from": list(learned.keys) if learned.enough else [],
        "results": [asdict(line) for line in lines],
    }
    page = render_page(portfolio.title, content, lines)
    store.put(page.encode(), _AREA, name, f"date={key}", "index.html")
    # The result last: it is what publishing asks for.
    store.put(canonical_json(content) + b"\n", _AREA, name, f"date={key}", "result.json")
    return ValidationOutcome(key, not failures, len(lines), failures, _report_path(portfolio, key))


def last_outcome(ws: Workspace, portfolio: Portfolio, key: str) -> ValidationOutcome | None:
    """What validation last found of a partition; None where it has not been looked at."""
    try:
        content = json.loads(ws.store.get(_AREA, portfolio.name, f"date={key}", "result.json"))
    except FileNotFoundError:
        return None
    return ValidationOutcome(
        key, content["passed"], content["checks"], content["failures"], _report_path(portfolio, key)
    )


def _report_path(portfolio: Portfolio, key: str) -> str:
    return f"{_AREA}/portfolio={portfolio.name}/date={key}/index.html"


_NOTHING = CheckLine(None, "rows", "no file brought any", False, "ExpectTableRowCountToBeBetween")


def _check(
    ws: Workspace, portfolio: Portfolio, manifest: Manifest, learned: Learned, quarantined: int
) -> list[CheckLine]:
    table = ws.store.read(manifest)
    checks = checks_of(portfolio, transactions_feed(portfolio), manifest.key, learned, table)
    if not table.num_rows:
        checks = [check for check in checks if check.on_empty]
    share = quarantined / max(1, quarantined + table.num_rows)
    return _run(table.append_column(QUARANTINED, pa.repeat(share, table.num_rows)), checks)


def _learn(ws: Workspace, portfolio: Portfolio, key: str) -> Learned:
    """Facts of the partitions published before this one, from their manifests: no row is read."""
    earlier = [other for other in ws.store.keys("transactions", portfolio.name) if other < key]
    found = []
    for other in earlier[len(earlier) - portfolio.validation.learn_from :] if portfolio.validation.learn_from else []:
        manifest = ws.store.manifest("transactions", portfolio.name, other)
        if manifest is not None and manifest.rows and "missing" in manifest.facts:
            found.append((other, manifest.facts))
    return Learned(tuple(other for other, _ in found), tuple(facts for _, facts in found))


def _quarantined(ws: Workspace, portfolio: Portfolio, key: str) -> int:
    lineage = ws.store.manifest("lineage", portfolio.name, key)
    files = lineage.facts.get("files", {}) if lineage is not None else {}
    return sum(facts["quarantined"] for facts in files.values())


# -- Great Expectations ------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _batches() -> Any:
    """Where tables are handed to Great Expectations; made once a process, because it takes a while."""
    for name in ("great_expectations", "great_expectations.data_context", "great_expectations.expectations"):
        logging.getLogger(name).setLevel(logging.WARNING)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("partitions").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("partition")


def _run(table: pa.Table, checks: Sequence[Check]) -> list[CheckLine]:
    definition = _batches()
    import great_expectations as gx

    expectations = [
        getattr(gx.expectations, check.expectation)(**check.arguments, meta={"number": number})
        for number, check in enumerate(checks)
    ]
    batch = definition.get_batch({"dataframe": _frame(table)})
    result = batch.validate(
        gx.ExpectationSuite("partition", expectations=expectations),
        # No values of rows: they would end up in pages and messages.
        result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
    )
    by_number = {item.expectation_config.meta["number"]: item for item in result.results}
    return [_line(check, by_number[number]) for number, check in enumerate(checks)]


def _frame(table: pa.Table) -> Any:
    frame = table.to_pandas()
    for field in table.schema:
        if pa.types.is_boolean(field.type):
            frame[field.name] = frame[field.name].astype("boolean")
        elif pa.types.is_string(field.type):
            frame[field.name] = frame[field.name].astype("str")
        elif pa.types.is_timestamp(field.type):
            frame[field.name] = frame[field.name].dt.tz_localize(None)
    return frame


def _line(check: Check, item: Any) -> CheckLine:
    """A check's result in words; one that could not be computed has not passed."""
    try:
        observed = check.observed(item.result)
    except (KeyError, TypeError, ValueError):
        observed = "it could not be computed"
    return CheckLine(check.column, check.expected, observed, bool(item.success), check.expectation)
