"""The notebook runs from top to bottom in a fresh kernel, with the library alone, and what it says is true."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

CHECKOUT = Path(__file__).resolve().parents[2]
NOTEBOOK = CHECKOUT / "notebooks" / "quickstart.ipynb"

# Runs after the last cell, in the same kernel.
QUESTIONS = """
import json
with ws.transaction() as session:
    registered = {run: of_run(session, portfolio.name, run) for run in ("first", "second")}
trained_until = registered["first"][0].trained_until
compared = rows_of(read_predictions(ws, registered["second"][0]), "test")
print(json.dumps({
    "modules": sorted(name for name in sys.modules if name.split(".")[0] == "airflow"),
    "columns": sorted(ws.store.read_partition("transactions", portfolio.name, keys[0]).column_names),
    "newest": sorted(ws.store.read_partition("transactions", portfolio.name, keys[-1]).column_names),
    "candidates": {run: [model.candidate for model in models] for run, models in registered.items()},
    "auc": [model.metrics["roc_auc"] for models in registered.values() for model in models],
    "first": first_verdict.outcome,
    "second": verdict.outcome,
    "champion": verdict.champion,
    "gates": {gate["name"]: gate["rows"] for gate in verdict.gates if gate["rows"]},
    "unseen": bool((compared["event_time"] >= trained_until).all()),
    "alerts": len(alerts),
    "mails": [[message["To"], message["Subject"]] for message in received],
    "problems": len(problems),
    "root": str(ws.landing.parents[1]),
}))
"""


def run_it(**environment: str) -> tuple[Any, dict[str, Any]]:
    """The executed notebook, and the answers to the questions."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(QUESTIONS))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FRAUDOPS_")}
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    client.execute(env={**kept, "PYTHONPATH": str(CHECKOUT / "include"), **environment})
    # What one `print` says may arrive in several pieces, and a library may have something to add on the other stream.
    said = [output.text for output in notebook.cells[-1].outputs if output.get("name") == "stdout"]
    return notebook, json.loads("".join(said))


def texts(notebook: Any) -> str:
    """Everything that the cells said, without what they drew."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(o.text if o.output_type == "stream" else o.data.get("text/plain", "") for o in outputs)


def pictures(notebook: Any) -> int:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return sum("image/png" in output.get("data", {}) for output in outputs)


@pytest.fixture(scope="module")
def executed() -> tuple[Any, dict[str, Any]]:
    """The notebook on fewer simulated payments and a smaller forest."""
    return run_it(FRAUDOPS_QUICKSTART_PAYMENTS="300", FRAUDOPS_QUICKSTART_TREES="25")


def test_airflow_is_not_needed(executed: tuple[Any, dict[str, Any]]) -> None:
    assert executed[1]["modules"] == []


def test_rows_of_both_files_have_the_same_columns(executed: tuple[Any, dict[str, Any]]) -> None:
    found = executed[1]
    assert found["columns"] == found["newest"]
    assert {"amount", "label", "card_token", "country"} <= set(found["columns"])
    assert not {"Amount", "transaction_amount", "card_number", "customer_name"} & set(found["columns"])


def test_both_files_have_rows_in_quarantine_each_under_its_own_names(executed: tuple[Any, dict[str, Any]]) -> None:
    text = texts(executed[0])
    for word in ("first.csv: ", "second.csv: ", "accepted", "not a number", "transaction_amount", "Amount"):
        assert word in text
    assert ", 0 in quarantine" not in text


def test_every_candidate_is_trained_on_both_files_and_better_than_chance(executed: tuple[Any, dict[str, Any]]) -> None:
    found = executed[1]
    for candidates in found["candidates"].values():
        assert {"logistic_regression", "random_forest"} <= set(candidates)
    assert len(found["auc"]) >= 4
    assert all(0.5 < auc < 1 for auc in found["auc"])


def test_the_second_verdict_is_about_rows_that_the_champion_has_not_seen(executed: tuple[Any, dict[str, Any]]) -> None:
    found = executed[1]
    assert found["first"] == "PROMOTE"
    assert found["second"] in {"PROMOTE", "HOLD", "REJECT"}
    assert found["champion"] is not None
    assert found["unseen"]
    assert found["gates"]["not worse than the champion"]["positives"] >= 20


def test_compliance_has_an_email(executed: tuple[Any, dict[str, Any]]) -> None:
    found = executed[1]
    assert found["alerts"] > 0
    assert found["mails"]
    for recipient, subject in found["mails"]:
        assert recipient == "compliance@bank.example"
        assert "[fraudops] tutorial" in subject
    assert "Subject: [fraudops] tutorial" in texts(executed[0])


def test_curves_and_confusion_matrix_are_shown(executed: tuple[Any, dict[str, Any]]) -> None:
    assert pictures(executed[0]) == 3
    assert "alert budget: cut at" in texts(executed[0])


def test_nothing_is_complained_about(executed: tuple[Any, dict[str, Any]]) -> None:
    for cell in executed[0].cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output.text


def test_no_card_number_is_shown_and_the_ledger_holds(executed: tuple[Any, dict[str, Any]]) -> None:
    text = texts(executed[0])
    # The simulated cards' ranges.
    assert not any(digits in text for digits in ("41111111", "51051051"))
    assert executed[1]["problems"] == 0


def test_nothing_is_left_when_the_kernel_has_ended(executed: tuple[Any, dict[str, Any]]) -> None:
    root = Path(executed[1]["root"])
    deadline = time.monotonic() + 30
    while root.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not root.exists()


@pytest.mark.real_data
def test_the_same_cells_run_on_the_real_file(real_data: Path, tmp_path: Path) -> None:
    rows = pd.read_csv(real_data / "ulb_creditcard.csv.gz", dtype=str)
    # All frauds and a thirtieth of the rest: the cells are what is tested, not the numbers.
    rows = rows[(rows["Class"] == "1") | (rows.index % 30 == 0)]
    rows.to_csv(tmp_path / "payments.csv", index=False)
    _, found = run_it(FRAUDOPS_DATA=str(tmp_path / "payments.csv"), FRAUDOPS_QUICKSTART_TREES="10")
    assert {"V1", "V28", "amount", "label"} <= set(found["columns"])
    assert all(0.5 < auc < 1 for auc in found["auc"])
    assert found["champion"] is not None
    assert found["unseen"]
    assert found["mails"]


# -- as it is committed --------------------------------------------------------------------------------


def test_it_is_small_and_without_outputs() -> None:
    assert NOTEBOOK.stat().st_size < 60_000
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_every_step_is_explained() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    headings = [cell.source for cell in cells if cell.source.startswith("## ")]
    assert len(headings) == 15
    assert all(len(text.split("\n\n", 1)[1].split()) > 8 for text in headings)


def test_links_lead_somewhere() -> None:
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", cell.source if cell.cell_type == "markdown" else ""):
            assert (NOTEBOOK.parent / target).exists(), target


def test_what_it_can_be_told_is_documented() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    for name in ("FRAUDOPS_DATA", "FRAUDOPS_QUICKSTART_PAYMENTS", "FRAUDOPS_QUICKSTART_TREES"):
        assert f"`{name}`" in cells[0].source
        assert any(name in cell.source for cell in cells if cell.cell_type == "code")
