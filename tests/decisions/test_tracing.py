"""From an alert back to its file and on to its e-mail; from a file on to each of its rows."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml
from fraudops.cli.main import app
from fraudops.decisions.tracing import rows_of_file, trace_alert, trace_file
from fraudops.errors import ContractError
from fraudops.notices import outbox
from fraudops.workspace import Workspace
from typer.testing import CliRunner

from tests.decisions.test_corrections import Shop
from tests.intake.conftest import make_portfolio, row

DAY = "2026-03-05"
FILE = f"tx_{DAY}.csv"
_BEHAVIOUR = [{"entity": "customer", "windows": ["30d"], "aggregates": ["amount_ratio"]}]


@pytest.fixture
def shop(workspace: Workspace) -> Shop:
    """A scored day: one payment of ten, one of 950; a broken row, and one that stands there twice."""
    shop = Shop(workspace, make_portfolio(features={"behaviour": _BEHAVIOUR}))
    rows = [row("T/1", f"{DAY}T10:00:00Z", "10"), row("T2", f"{DAY}T11:00:00Z", "950")]
    shop.land(FILE, *rows, row("T3", f"{DAY}T12:00:00Z", "much"), rows[0])
    shop.promote("2026-03-01", "2026-02-01")
    shop.score(DAY)
    return shop


def test_an_alert_is_traced_to_its_row_its_rule_and_its_mail(shop: Shop) -> None:
    (alert,) = shop.alerts()
    claimed = outbox.claim(shop.ws, shop.notices("immediate")[0].id)
    assert claimed is not None
    outbox.sent(shop.ws, claimed)
    trace = trace_alert(shop.ws, shop.portfolio, alert)
    assert (trace.file, trace.line) == (FILE, 3)
    assert [(step.dataset, step.state) for step in trace.steps] == [
        ("transactions", "in force"),
        ("features", "in force"),
        ("scores", "in force"),
    ]
    assert trace.rule == "score 0.95 is at or above the block threshold 0.9"
    assert "approved by v: better" in trace.champion
    told = {notice.kind: (notice.state, [outcome for _, outcome, _ in notice.deliveries]) for notice in trace.notices}
    assert told == {"immediate": ("sent", ["sent"]), "digest": ("waiting", [])}
    assert {action for _, _, _, action, _ in trace.ledger} >= {"ingested", "scored", "alerts_raised", "notice_sent"}


def test_after_a_correction_an_alert_is_traced_to_the_rows_of_then(shop: Shop) -> None:
    shop.land(FILE, row("T2", f"{DAY}T11:00:00Z", "20"))
    shop.score(DAY)
    (alert,) = shop.alerts()
    trace = trace_alert(shop.ws, shop.portfolio, alert)
    assert (trace.file, trace.line) == (FILE, 3)
    assert {step.state for step in trace.steps} == {"replaced since"}


def test_a_file_says_what_became_of_each_row(shop: Shop) -> None:
    (trace,) = trace_file(shop.ws, {"shop": shop.portfolio}, FILE)
    (part,) = trace.partitions
    assert (part.rows, part.accepted, part.stored, part.quarantined, part.alerts) == (4, 2, 2, 2, 1)
    assert sum(trace.reasons.values()) == 2
    rows = sorted(rows_of_file(shop.ws, trace), key=lambda found: found["line"])
    assert [(found["line"], found["outcome"], found["transaction"]) for found in rows] == [
        (2, "stored", "T/1"),
        (3, "stored", "T2"),
        (4, "quarantined", None),
        (5, "quarantined", None),
    ]
    assert (rows[1]["decision"], rows[1]["alert"]) == ("block", shop.alerts()[0].id)
    assert trace_file(shop.ws, {"shop": shop.portfolio}, trace.sha256[:8])[0].file == FILE
    with pytest.raises(ContractError, match=r"no file .* was landed"):
        trace_file(shop.ws, {"shop": shop.portfolio}, "other.csv")


def test_rows_of_a_former_version_are_replaced(shop: Shop) -> None:
    shop.land(FILE, row("T2", f"{DAY}T11:00:00Z", "20"))
    now, then = trace_file(shop.ws, {"shop": shop.portfolio}, FILE)[::-1]
    if now.newer:
        now, then = then, now
    assert (now.newer, then.newer) == (False, True)
    assert [part.stored for part in then.partitions] == [0]
    outcomes = {found["outcome"] for found in rows_of_file(shop.ws, then) if found["transaction"]}
    assert outcomes == {"replaced"}


def test_the_commands_tell_it(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "portfolios"
    folder.mkdir()
    (folder / "shop.yaml").write_text(yaml.safe_dump(shop.portfolio.model_dump(mode="json", exclude_defaults=True)))
    for name, value in {
        "PORTFOLIOS": str(folder),
        "STORE": str(shop.ws.store.root),
        "STATE": str(tmp_path),
        "LANDING": str(shop.ws.landing),
        "DATABASE_URL": shop.ws.database_url,
        "TOKEN_KEY": shop.ws.token_key.hex(),
        "LEDGER_KEY": shop.ws.ledger_key.hex(),
    }.items():
        monkeypatch.setenv(f"FRAUDOPS_{name}", value)
    run, output = CliRunner(), tmp_path / "rows.csv"
    traced = run.invoke(app, ["trace", "alert", "T2", "--json"])
    assert json.loads(traced.stdout)["file"] == [f"{FILE}, line 3"]
    assert run.invoke(app, ["trace", "file", FILE, "-o", str(output)]).exit_code == 0
    with output.open() as stream:
        assert [found["outcome"] for found in csv.DictReader(stream)] == [
            "stored",
            "stored",
            "quarantined",
            "quarantined",
        ]
    replayed = run.invoke(app, ["replay", "-d", "shop/2026-03-05/T/1", "--json"])
    assert (replayed.exit_code, json.loads(replayed.stdout)[0]["state"]) == (0, "equal")
    assert "2 decisions: 2 equal" in run.invoke(app, ["replay", "-n", "5", "-p", "shop"]).stdout
    for path in Path(str(shop.ws.store.root), "features").rglob("part-*.parquet"):
        path.unlink()
    assert run.invoke(app, ["replay", "-d", "T2"]).exit_code == 3
    asked = ["restate", "--from", DAY, "--to", DAY, "--reason", "why not", "-p", "shop"]
    assert "nothing of the record was changed" in run.invoke(app, asked).stdout
