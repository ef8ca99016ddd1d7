"""Validates a partition with Great Expectations, and tells people what it found.

Great Expectations is called directly, and on a profile of the rows instead of the rows: a table with one line for
each thing that was measured, beside what it may be. An expectation costs several milliseconds, whatever it looks
at, and rows would need a few for every column; a profile needs three, for ten columns or four hundred.

Its own Data Docs pages load their styles and scripts from other people's servers and put values into HTML
unescaped; so the page that we leave is rendered here from its result: one file, nothing loaded from anywhere,
equal bytes for equal rows.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from fraudops.errors import FraudopsError
from fraudops.intake.feeds import transactions_feed
from fraudops.intake.publication import PublishResult, publish
from fraudops.intake.suite import Check, Learned, checks_of
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
        "results": [dict(vars(line)) for line in lines],
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


_NOTHING = CheckLine(None, "rows", "no file brought any", False)


def _check(
    ws: Workspace, portfolio: Portfolio, manifest: Manifest, learned: Learned, quarantined: int
) -> list[CheckLine]:
    table = ws.store.read(manifest)
    checks = checks_of(portfolio, transactions_feed(portfolio), manifest.key, learned, table, quarantined)
    failed = judge(checks)
    return [CheckLine(c.column, c.expected, c.observed, number not in failed) for number, c in enumerate(checks)]


def _learn(ws: Workspace, portfolio: Portfolio, key: str) -> Learned:
    """Facts of the partitions published before this one, from their manifests: no row is read."""
    earlier = [other for other in ws.store.keys("transactions", portfolio.name) if other < key]
    found = []
    for other in earlier[len(earlier) - portfolio.validation.learn_from :] if portfolio.validation.learn_from else []:
        manifest = ws.store.manifest("transactions", portfolio.name, other)
        if manifest is not None and manifest.rows and "missing" in manifest.facts:
            found.append((other, manifest.facts))
    if len(found) < portfolio.validation.learn_after:
        found = []
    return Learned(tuple(other for other, _ in found), tuple(facts for _, facts in found))


def _quarantined(ws: Workspace, portfolio: Portfolio, key: str) -> int:
    lineage = ws.store.manifest("lineage", portfolio.name, key)
    files = lineage.facts.get("files", {}) if lineage is not None else {}
    # What says again what another file said is kept apart, and is no fault.
    return sum(facts["quarantined"] - facts["repeated"] for facts in files.values())


# -- Great Expectations ------------------------------------------------------------------------------------


def judge(checks: Sequence[Check]) -> frozenset[int]:
    """Numbers of the checks that do not hold, as Great Expectations finds.

    Raises
    ------
    FraudopsError
        Great Expectations could not compare, or names no check though it says that one fails.
    """
    suite, batch = _suite(), _batches().get_batch({"dataframe": profile_of(checks)})
    if batch.validate(suite, result_format="BOOLEAN_ONLY").success:
        return frozenset()
    # Which ones it was costs more to find out, and is seldom asked.
    result = batch.validate(suite, result_format={"result_format": "COMPLETE", "partial_unexpected_count": 0})
    failed = frozenset(number for item in result.results for number in item.result.get("unexpected_index_list") or ())
    if not failed:
        raise FraudopsError(
            "the checks could not be compared with what was measured",
            where="Great Expectations",
            remedy="see the lines above in this log",
        )
    return failed


def profile_of(checks: Sequence[Check]) -> pd.DataFrame:
    """The table that Great Expectations looks at: a line for each check."""
    return pd.DataFrame(
        {
            "column": [check.column or "" for check in checks],
            "least": [float(check.least) for check in checks],
            "value": [float(check.value) for check in checks],
            "most": [float(check.most) for check in checks],
            "stored": [check.stored for check in checks],
            "prescribed": [check.prescribed for check in checks],
        }
    )


@lru_cache(maxsize=1)
def _batches() -> Any:
    """Where profiles are handed to Great Expectations; made once a process, because it takes a while."""
    for name in ("great_expectations", "great_expectations.data_context", "great_expectations.expectations"):
        logging.getLogger(name).setLevel(logging.WARNING)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("partitions").add_dataframe_asset("profile")
    return asset.add_batch_definition_whole_dataframe("partition")


@lru_cache(maxsize=1)
def _suite() -> Any:
    """What is expected of a profile."""
    import great_expectations as gx

    # "neither": a value that is no number is compared as well, and is never within its bounds.
    every: dict[str, Any] = {"ignore_row_if": "neither"}
    expect = gx.expectations
    return gx.ExpectationSuite(
        "profile",
        expectations=[
            expect.ExpectColumnPairValuesToBeEqual(column_A="stored", column_B="prescribed", **every),
            expect.ExpectColumnPairValuesAToBeGreaterThanB(column_A="value", column_B="least", or_equal=True, **every),
            expect.ExpectColumnPairValuesAToBeGreaterThanB(column_A="most", column_B="value", or_equal=True, **every),
        ],
    )
