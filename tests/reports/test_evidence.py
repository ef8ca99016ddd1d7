"""The evidence pack: what is in it, that it is filed once, and that nothing in it is made up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from fraudops.database import LedgerEntry, ModelVersion
from fraudops.errors import ContractError, IntegrityError
from fraudops.portfolio import Fairness, ModelCard, Portfolio
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import decline, promote
from fraudops.reports.evidence import FiledPack, file_pack, file_packs, filed_packs, read_pack
from fraudops.reports.evidence.contents import SCHEMA, SCHEMA_VERSION, SECTIONS
from fraudops.reports.evidence.expectations import all_lists, in_force
from fraudops.reports.evidence.writing import plain
from fraudops.stack.postgres import Postgres
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.installations import Template
from tests.registry.runs import leave_run, payments

AS_OF = datetime(2026, 4, 8, tzinfo=UTC)
CANDIDATES = {"logistic_regression": "poor", "random_forest": "fair", "lightgbm": "best"}
CARD = ModelCard(materiality="high", intended_use="people look at it", not_for=("credit",))


@pytest.fixture(scope="module")
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"].model_copy(update={"model_card": CARD, "fairness": Fairness()})


@pytest.fixture(scope="module")
def left_once(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, cards: Portfolio) -> Template:
    """An installation with one training run of three candidates and its verdict."""
    return Template.made(postgres, tmp_path_factory.mktemp("left"), lambda ws: _left(ws, cards))


@pytest.fixture
def left(left_once: Template, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it of the test's own."""
    with left_once.copy(tmp_path) as ws:
        yield ws


def _left(ws: Workspace, cards: Portfolio, frame: pd.DataFrame | None = None, **run: Any) -> pd.DataFrame:
    frame = payments() if frame is None else frame
    leave_run(ws, cards, frame, CANDIDATES, **run)
    compare(ws, cards, run_id="run-1", as_of=AS_OF)
    return frame


def _data(ws: Workspace, filed: FiledPack) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_pack(ws, filed)[1])
    return found


def _text(ws: Workspace, filed: FiledPack) -> str:
    page = read_pack(ws, filed)[0].decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index("<body>") :]))


def _entries(ws: Workspace) -> list[LedgerEntry]:
    with ws.transaction() as session:
        return list(session.scalars(select(LedgerEntry).where(LedgerEntry.action == "evidence_filed")))


def test_every_version_of_a_run_has_a_pack_and_the_ledger_its_digests(left: Workspace, cards: Portfolio) -> None:
    packs = file_packs(left, cards, run_id="run-1")
    assert sorted(filed.version for filed in packs) == ["v1", "v2", "v3"]
    assert {filed.revision for filed in packs} == {1}
    recorded = {entry.subject: entry.details["data_sha256"] for entry in _entries(left)}
    assert recorded == {f"cards/models/{filed.version}": filed.data_sha256 for filed in packs}


def test_the_data_say_what_the_registry_and_the_ledger_say(left: Workspace, cards: Portfolio) -> None:
    data = _data(left, file_pack(left, cards, version="v3"))
    assert (data["schema"], data["schema_version"]) == (SCHEMA, SCHEMA_VERSION)
    assert data["card"]["materiality"] == "high"
    assert data["verdict"]["outcome"] == "PROMOTE"
    assert data["verdict"]["is_challenger"] is True
    precision = next(line for line in data["results"]["lines"] if line["key"] == "average_precision")
    measured = data["results"]["measured"]["test"]
    assert precision["test"]["value"] == measured["average_precision"]
    assert [precision["test"]["low"], precision["test"]["high"]] == measured["average_precision_interval"]
    assert len(data["lineage"]["partitions"]) == 30
    with left.transaction() as session:
        trained = session.scalars(select(LedgerEntry).where(LedgerEntry.action == "trained")).all()
        digest = next(entry.digest for entry in trained if entry.subject == "cards/models/v3")
    assert digest in [line["digest"] for line in data["ledger"]]


def test_the_segments_add_up_to_the_test_slice(left: Workspace, cards: Portfolio) -> None:
    frame = payments()
    data = _data(left, file_pack(left, cards, version="v3"))
    test = frame[frame["slice"] == "test"]
    (amounts,) = [found for found in data["segments"] if found["column"] == "amount"]
    assert sum(group["n"] for group in amounts["groups"]) == len(test)
    assert sum(group["frauds"] for group in amounts["groups"]) == test["label"].sum()
    assert sum(group["flagged"] for group in amounts["groups"]) == (test["best"] >= 0.4).sum()


def test_a_version_that_was_not_the_challenger_says_so(left: Workspace, cards: Portfolio) -> None:
    filed = file_pack(left, cards, version="v1")
    assert _data(left, filed)["verdict"]["is_challenger"] is False
    assert "was not put before an approver" in _text(left, filed)


def test_nothing_new_makes_no_revision_and_a_decision_makes_one(left: Workspace, cards: Portfolio) -> None:
    first = file_pack(left, cards, version="v3")
    assert file_pack(left, cards, version="v3") == first
    promote(left, cards, run_id="run-1", approved_by="vera", reason="far better than the floor")
    second = file_pack(left, cards, version="v3")
    assert (second.revision, second.page) == (2, "pack-r2.html")
    data = _data(left, second)
    assert [(d["what"], d["by"], d["reason"]) for d in data["decisions"]] == [
        ("promoted", "vera", "far better than the floor")
    ]
    assert data["is_champion"] is True
    assert _data(left, first)["decisions"] == []
    with left.transaction() as session:
        assert [filed.revision for filed in filed_packs(session, "cards", "v3")] == [2, 1]


def test_a_refusal_is_in_the_pack_with_its_author(left: Workspace, cards: Portfolio) -> None:
    decline(left, cards, run_id="run-1", declined_by="vera", reason="the segment of refunds is too weak")
    text = _text(left, file_pack(left, cards, version="v3"))
    assert "declined vera the segment of refunds is too weak" in text


def test_the_page_has_every_section_and_needs_nothing_from_outside(left: Workspace, cards: Portfolio) -> None:
    filed = file_pack(left, cards, version="v3")
    page = read_pack(left, filed)[0].decode()
    for name, heading in SECTIONS.items():
        assert f'<section id="{name}">' in page
        assert f"<h2>{heading}</h2>" in page
    assert "<script" not in page
    assert re.findall(r"(?:src|href)=\"(?!data:|#)[^\"]*\"|url\(", page) == []
    assert filed.data_sha256 in page
    assert page.count("data:image/png") == len(_data(left, filed)["pictures"]) == 8


def test_what_comes_from_outside_is_escaped(workspace: Workspace, cards: Portfolio) -> None:
    hostile = cards.model_copy(update={"title": "<script>alert(1)</script>"})
    _left(workspace, hostile)
    page = read_pack(workspace, file_pack(workspace, hostile, version="v3"))[0].decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_altered_pack_is_not_handed_out(left: Workspace, cards: Portfolio) -> None:
    filed = file_pack(left, cards, version="v3")
    path = left.store.path("evidence", "cards", "v3", filed.data)
    path.write_bytes(path.read_bytes().replace(b'"high"', b'"low"'))
    with pytest.raises(IntegrityError, match=r"pack-r1\.json is not the file that was filed"):
        read_pack(left, filed)


def test_a_version_without_predictions_has_no_pack(workspace: Workspace, cards: Portfolio) -> None:
    leave_run(workspace, cards, payments(), {"lightgbm": "best"})
    with workspace.transaction() as session:
        from fraudops.registry.versions import version

        version(session, "cards", "v1").lineage = {"seed": 1}
    with pytest.raises(ContractError, match="without its predictions"):
        file_pack(workspace, cards, version="v1")


# -- limitations -------------------------------------------------------------------------------------------


def _limits(ws: Workspace, filed: FiledPack) -> dict[str, str]:
    return {found["what"]: found["evidence"] for found in _data(ws, filed)["limitations"]}


def test_limitations_are_computed(workspace: Workspace, cards: Portfolio) -> None:
    leave_run(workspace, cards, payments(), {"logistic_regression": "poor"})
    found = _limits(workspace, file_pack(workspace, cards, version="v1"))
    assert "The test slice is short" in found
    assert "6.0 days" in found["The test slice is short"]
    assert "The portfolio's YAML has changed since the data set was made" in found
    assert "It was not recorded with which libraries the version was trained" in found
    assert "Few frauds in the train slice" not in found
    assert not any("mostly missing" in what for what in found)


def test_what_is_mostly_missing_is_named(workspace: Workspace, cards: Portfolio) -> None:
    frame = payments()
    frame.loc[frame.index % 3 != 0, "fair"] = None
    leave_run(workspace, cards, frame, {"logistic_regression": "poor"})
    found = _limits(workspace, file_pack(workspace, cards, version="v1"))
    assert found["1 of 4 columns are mostly missing"] == "fair (67 %)"


def test_few_frauds_and_wide_intervals_are_told(workspace: Workspace, cards: Portfolio) -> None:
    leave_run(workspace, cards, payments(frauds=0.01, seed=3), {"logistic_regression": "good"})
    found = _limits(workspace, file_pack(workspace, cards, version="v1"))
    assert "Few frauds in the test slice" in found
    assert "Average precision is not known well" in found


def test_a_second_fit_is_told(workspace: Workspace, cards: Portfolio) -> None:
    models = leave_run(workspace, cards, payments(), {"logistic_regression": "poor"})
    what = "Calibration and thresholds are older than the model"
    assert what not in _limits(workspace, file_pack(workspace, cards, version="v1"))
    facts = {"estimator": "logistic_regression", "rows": 4_800, "calibrated_before_refit_on": {"rows": 3_600}}
    with workspace.transaction() as session:
        found = session.get_one(ModelVersion, models["logistic_regression"].id)
        found.metrics = {**found.metrics, "model": facts}
    filed = file_pack(workspace, cards, version="v1")
    assert "3,600" in _limits(workspace, filed)[what]
    assert "then fitted on as well" in _text(workspace, filed)


def test_rows_that_stand_for_others_are_told(workspace: Workspace, cards: Portfolio) -> None:
    frame = payments()
    leave_run(workspace, cards, frame.assign(label_weight=1.0), {"logistic_regression": "poor"})
    what = "Segments and groups count transactions as they are"
    assert what not in _limits(workspace, file_pack(workspace, cards, version="v1"))
    weights = [5.0 if number % 50 == 0 else 1.0 for number in range(len(frame))]
    leave_run(workspace, cards, frame.assign(label_weight=weights), {"logistic_regression": "poor"}, run_id="run-2")
    assert what in _limits(workspace, file_pack(workspace, cards, version="v2"))


def test_a_random_split_is_told(workspace: Workspace, cards: Portfolio) -> None:
    leave_run(workspace, cards, payments(), {"logistic_regression": "poor"}, split="random")
    assert "The split was random" in _limits(workspace, file_pack(workspace, cards, version="v1"))


# -- groups of customers -----------------------------------------------------------------------------------


def _publish(ws: Workspace, frame: pd.DataFrame) -> None:
    """Transactions with a column that the model does not see."""
    country = ["DE" if number % 4 else "FR" for number in range(len(frame))]
    for key, rows in frame.assign(country=country).groupby("partition_key"):
        table = pa.Table.from_pandas(rows[["transaction_id", "country"]], preserve_index=False)
        ws.store.write("transactions", "cards", str(key), table, config="c")


def test_attributes_are_compared_though_no_model_sees_them(workspace: Workspace, cards: Portfolio) -> None:
    named = cards.model_copy(update={"fairness": Fairness(attributes=("country",))})
    frame = payments()
    _publish(workspace, frame)
    _left(workspace, named, frame)
    filed = file_pack(workspace, named, version="v3")
    (found,) = _data(workspace, filed)["fairness"]
    assert (found["column"], found["remark"]) == ("country", "the model does not see it")
    test = frame[frame["slice"] == "test"]
    flagged = test["best"] >= 0.4
    french = test.index % 4 == 0
    reference, group = found["groups"]
    assert (reference["group"], reference["selection_ratio"]) == ("DE", None)
    assert (group["group"], group["n"]) == ("FR", french.sum())
    assert group["selection_ratio"]["value"] == pytest.approx(flagged[french].mean() / flagged[~french].mean())
    genuine = ~test["label"]
    expected = flagged[french & genuine].mean() / flagged[~french & genuine].mean()
    assert group["false_positive_ratio"]["value"] == pytest.approx(expected)
    assert group["selection_ratio"]["low"] < group["selection_ratio"]["value"] < group["selection_ratio"]["high"]
    assert "not a verdict" in _text(workspace, filed)


def test_transactions_that_are_gone_are_counted_not_guessed(workspace: Workspace, cards: Portfolio) -> None:
    named = cards.model_copy(update={"fairness": Fairness(attributes=("country",))})
    frame = payments()
    test = frame[frame["slice"] == "test"]
    kept = sorted(test["partition_key"].unique())[1:]
    _publish(workspace, frame[frame["partition_key"].isin(kept)])
    _left(workspace, named, frame)
    (found,) = _data(workspace, file_pack(workspace, named, version="v3"))["fairness"]
    there = test["partition_key"].isin(kept).sum()
    assert found["remark"].endswith(f"; {len(test) - there} of {len(test)} transactions are no longer stored")
    assert sum(group["n"] for group in found["groups"]) == there


def test_without_attributes_nothing_is_claimed(left: Workspace, cards: Portfolio) -> None:
    filed = file_pack(left, cards, version="v3")
    assert "names no attribute to compare by" in _text(left, filed)
    assert any("whether groups of customers" in what for what in _limits(left, filed))


# -- what is expected --------------------------------------------------------------------------------------


def test_expectations_are_dated_and_point_to_sections_that_exist() -> None:
    assert in_force(date(2026, 4, 16)) is None
    found = in_force(date(2026, 4, 17))
    assert found is not None
    assert "SR 26-2" in found.title
    for known in all_lists():
        for item in known.items:
            assert set(item.answered_in) <= set(SECTIONS), item.id
            assert item.answered_in or item.left, item.id


def test_the_list_in_force_at_registration_is_answered(left: Workspace, cards: Portfolio) -> None:
    filed = file_pack(left, cards, version="v3")
    found = _data(left, filed)["expectations"]
    assert found["in_force_from"] == "2026-04-17"
    assert "dated configuration, not legal advice" in _text(left, filed)


def test_a_rolling_evaluation_of_the_candidate_is_told(left: Workspace, cards: Portfolio) -> None:
    assert _data(left, file_pack(left, cards, version="v3"))["rolling"] is None
    spread = {"mean": 0.71, "deviation": 0.02, "low": 0.69, "high": 0.73, "windows": 4}
    for name, as_of, candidate in (
        ("prequential_2026-03-01_2026-03-29_7d", "2026-04-08T00:00:00+00:00", "lightgbm"),
        ("prequential_2026-02-01_2026-03-01_7d", "2026-03-08T00:00:00+00:00", "lightgbm"),
        ("prequential_2026-03-08_2026-04-05_7d", "2026-04-09T00:00:00+00:00", "xgboost"),
    ):
        content = {"as_of": as_of, "summary": {candidate: {"average precision": spread}}}
        left.store.put(json.dumps(content).encode(), "reports", "cards", name, "evaluation.json")
    filed = file_pack(left, cards, version="v3")
    found = _data(left, filed)["rolling"]
    assert (filed.revision, found["evaluation"]) == (2, "prequential_2026-03-01_2026-03-29_7d")
    assert found["lines"] == [{"measure": "average precision", **spread}]
    assert "0.690, 0.730" in _text(left, filed)


def test_nested_values_stand_on_one_line() -> None:
    assert plain({"b": None, "a": [1, 0.25]}) == "a 1 and 0.25, b –"
