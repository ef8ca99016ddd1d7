from __future__ import annotations

import io
import json
import shutil
import sys
from pathlib import Path

import joblib
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fraudops.database import ModelVersion
from fraudops.errors import ContractError
from fraudops.portfolio import Candidate, Portfolio
from fraudops.registry.candidates import train
from fraudops.store import sha256_of
from fraudops.training.dataset import assemble, load
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.training import history
from tests.training.conftest import empty

RUN = "manual__2026-04-10T00:00:00+00:00"


@pytest.fixture(scope="module")
def shop() -> Portfolio:
    return history.portfolio()


@pytest.fixture(scope="module")
def assembled(tmp_path_factory: pytest.TempPathFactory, shop: Portfolio) -> Workspace:
    """The shop's history and the data set of a run; no database."""
    ws = empty(tmp_path_factory.mktemp("shop"))
    history.write(ws, shop, history.transactions())
    assemble(ws, shop, run_id=RUN, as_of=history.end())
    return ws


@pytest.fixture
def ready(workspace: Workspace, assembled: Workspace) -> Workspace:
    """The same, with a database."""
    shutil.copytree(str(assembled.store.root), str(workspace.store.root))
    return workspace


def _predictions(ws: Workspace, shop: Portfolio, candidate: str) -> pd.DataFrame:
    content = ws.store.get("training", shop.name, RUN, f"predictions_{candidate}.parquet")
    return pq.read_table(io.BytesIO(content)).to_pandas()


def test_a_candidate_is_trained_measured_and_registered(ready: Workspace, shop: Portfolio) -> None:
    found = train(ready, shop, run_id=RUN, candidate="xgboost")
    assert json.loads(json.dumps(found.to_dict())) == found.to_dict()
    assert found.version == "v1"
    assert found.skipped is None
    with ready.transaction() as session:
        model = session.scalars(select(ModelVersion)).one()
        metrics, thresholds, lineage = model.metrics, model.thresholds, model.lineage
        digest, artifact, trained_until = model.artifact_sha256, model.artifact, model.trained_until
        assert model.as_of == history.end()
    data = load(ready, shop, RUN)
    assert trained_until == data.summary.trained_until
    assert lineage["dataset_sha256"] == data.summary.sha256
    assert lineage["promotable"] is True
    assert metrics["average_precision"] == found.average_precision
    assert metrics["validation"]["n"] == data.summary.slices["validation"].rows
    assert metrics["n"] == data.summary.slices["test"].rows
    assert {line["column"] for line in metrics["importance"]} == set(data.summary.columns.all)
    assert metrics["model"]["columns"]["categorical"] == ["channel"]

    content = (ready.store.root / artifact).read_bytes()
    assert sha256_of(content) == digest
    loaded = joblib.load(io.BytesIO(content))
    assert thresholds == loaded.thresholds.to_dict()
    predictions = _predictions(ready, shop, "xgboost")
    held_out = data.frame[data.frame["slice"].isin(["validation", "test"])]
    assert list(predictions["transaction_id"]) == list(held_out["transaction_id"])
    assert (predictions["score"].to_numpy() == loaded.score(held_out)).all()
    validation = predictions[predictions["slice"] == "validation"]
    budget = shop.policy.alerts_per_day * data.summary.slices["validation"].days
    assert (validation["score"] >= thresholds["review"]).sum() == int(budget)


def test_training_again_changes_nothing(ready: Workspace, shop: Portfolio) -> None:
    def content() -> dict[str, bytes]:
        train(ready, shop, run_id=RUN, candidate="random_forest", jobs=2)
        return {str(p): p.read_bytes() for p in Path(str(ready.store.root)).rglob("*") if p.is_file()}

    assert content() == content()
    with ready.transaction() as session:
        assert len(session.scalars(select(ModelVersion)).all()) == 1


def test_a_second_fit_learns_what_was_known_when_the_gate_began_and_selection_stays_unseen(
    ready: Workspace, shop: Portfolio
) -> None:
    plain = Candidate(estimator="logistic_regression")
    again = plain.model_copy(update={"refit": True})
    changes = {"candidates": {"logistic_regression": plain, "again": again}}
    both = shop.model_copy(update={"training": shop.training.model_copy(update=changes)})
    for name in changes["candidates"]:
        train(ready, both, run_id=RUN, candidate=name)
    once, twice = (_predictions(ready, both, name) for name in changes["candidates"])
    selection = (once["slice"] == "validation").to_numpy()
    assert (once["score"] == twice["score"])[selection].all()
    assert (once["score"] != twice["score"])[~selection].all()

    data = load(ready, both, RUN)
    with ready.transaction() as session:
        model = session.scalars(select(ModelVersion).where(ModelVersion.candidate == "again")).one()
        learned, artifact = model.metrics["model"]["rows"], model.artifact
    known = data.frame["event_time"] < data.summary.test_from - both.labels.delay  # type: ignore[operator]
    assert learned == known.sum() > data.summary.slices["train"].rows
    registered = joblib.load(ready.store.root / artifact)
    assert (registered.score(data.rows_of("test")) == twice["score"][~selection]).all()


def test_a_random_split_is_marked_in_the_registry(ready: Workspace, shop: Portfolio) -> None:
    assemble(ready, shop, run_id="random", as_of=history.end(), split="random")
    found = train(ready, shop, run_id="random", candidate="logistic_regression")
    assert not found.promotable
    with ready.transaction() as session:
        model = session.scalars(select(ModelVersion)).one()
        assert (model.metrics["promotable"], model.lineage["split"]) == (False, "random")


def test_a_library_that_does_not_work_skips_the_candidate(
    ready: Workspace, shop: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    found = train(ready, shop, run_id=RUN, candidate="lightgbm")
    assert found.version is None
    assert found.skipped is not None
    assert "libgomp1" in found.skipped


def test_an_unknown_candidate_is_refused(ready: Workspace, shop: Portfolio) -> None:
    with pytest.raises(ContractError, match=r"no candidate 'forest'.*choose one of lightgbm"):
        train(ready, shop, run_id=RUN, candidate="forest")
    with pytest.raises(ContractError, match="has no data set"):
        train(ready, shop, run_id="other", candidate="xgboost")
