"""Data sets of odd kinds, from the file to the alert and the report, with the library alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fraudops.cli.main import app
from fraudops.database import Alert, Notice
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.pending import pending_keys
from fraudops.decisions.scoring import load_model, score_many
from fraudops.features import build, model_frame
from fraudops.intake.files import find_files
from fraudops.intake.landing import LandResult, land
from fraudops.intake.validation import publish, validate
from fraudops.portfolio import Portfolio
from fraudops.registry import versions
from fraudops.registry.candidates import CandidateResult, train
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import promote
from fraudops.reports.training import write_training_report
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.training.dataset import assemble
from fraudops.workspace import Workspace
from sqlalchemy import select
from typer.testing import CliRunner

from .databases import with_tables
from .oddities import ODDITIES, Oddity

RUN = "manual__odd"


@dataclass
class Lived:
    """An oddity that went through everything once."""

    name: str
    oddity: Oddity
    ws: Workspace
    portfolio: Portfolio
    landed: list[LandResult] = field(default_factory=list)
    trained: dict[str, CandidateResult] = field(default_factory=dict)
    scored: list[str] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    report: str = ""

    def ingest(self, name: str) -> list[str]:
        """Land the portfolio's files, validate and publish what changed."""
        landed = land(self.ws, self.portfolio, find_files(self.ws, self.portfolio))
        self.landed.append(landed)
        for key in landed.changed_keys:
            outcome = validate(self.ws, self.portfolio, key)
            assert outcome.passed, (name, key, outcome.failures)
            publish(self.ws, self.portfolio, key, actor="service:test")
        build(self.ws, self.portfolio, landed.changed_keys)
        return landed.changed_keys

    def learned_until(self, keys: list[str]) -> str:
        """The last partition to learn from: where no file comes later, the rest of the history is what comes."""
        return max(keys) if len(self.oddity.live) else sorted(keys)[len(keys) * 3 // 4]

    def live(self) -> None:
        """History, training, promotion, then what came after."""
        ws, portfolio = self.ws, self.portfolio
        folder = ws.landing / portfolio.name
        self.oddity.write(folder, self.oddity.history, "history")
        keys = self.ingest("history")
        as_of = portfolio.partitioning.end(self.learned_until(keys)) + portfolio.labels.delay
        assemble(ws, portfolio, run_id=RUN, as_of=as_of)
        for name in portfolio.training.candidates:
            self.trained[name] = train(ws, portfolio, run_id=RUN, candidate=name)
        verdict = compare(ws, portfolio, run_id=RUN, as_of=as_of)
        assert verdict.outcome == "PROMOTE", verdict.reason
        report = write_training_report(ws, portfolio, run_id=RUN)
        self.report = ws.store.root.joinpath(report).read_text(encoding="utf-8")
        promote(ws, portfolio, run_id=RUN, approved_by="validator", reason="the first one")
        if len(self.oddity.live):
            self.oddity.write(folder, self.oddity.live, "later")
            self.ingest("later")
        self.scored = pending_keys(ws, portfolio)
        score_many(ws, portfolio, self.scored)
        for key in self.scored:
            raise_alerts(ws, portfolio, key, actor="service:test")
        with ws.transaction() as session:
            self.alerts = list(session.scalars(select(Alert).order_by(Alert.id)))
            self.notices = list(session.scalars(select(Notice).order_by(Notice.id)))


@pytest.fixture(scope="module", params=sorted(ODDITIES))
def lived(request: pytest.FixtureRequest, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    name = str(request.param)
    oddity = ODDITIES[name]()
    folder: Path = tmp_path_factory.mktemp(name)
    ws = Workspace(
        store=Store(folder / "store"),
        landing=folder / "landing",
        database_url=with_tables(postgres, f"odd_{name}"),
        token_key=b"t" * 32,
        ledger_key=b"l" * 32,
    )
    found = Lived(name, oddity, ws, Portfolio.model_validate(oddity.content))
    found.live()
    return found


def test_every_row_arrives(lived: Lived) -> None:
    assert [landed.rows_quarantined for landed in lived.landed] == [0] * len(lived.landed)
    keys = lived.ws.store.keys("transactions", lived.portfolio.name)
    stored = sum(lived.ws.store.require("transactions", lived.portfolio.name, key).rows for key in keys)
    assert stored == len(lived.oddity.history) + len(lived.oddity.live)


def test_the_signal_is_found(lived: Lived) -> None:
    for result in lived.trained.values():
        assert result.average_precision is not None
        assert result.average_precision > lived.oddity.least, result.candidate


def test_alerts_say_why_and_name_an_amount_only_where_there_is_one(lived: Lived) -> None:
    assert lived.alerts
    for alert in lived.alerts:
        assert alert.reasons
        assert (alert.amount_minor is not None) == lived.portfolio.has_amount
        assert bool(alert.currency) <= lived.portfolio.has_amount
    texts = " ".join(notice.subject + notice.text + notice.html for notice in lived.notices)
    assert ("0.00" in texts) <= lived.portfolio.has_amount
    assert ("payment" in texts) <= lived.portfolio.has_amount
    assert ("by amount" in lived.report) == lived.portfolio.has_amount


def test_alerts_find_fraud_more_often_than_chance(lived: Lived) -> None:
    fraud, flagged, rows = 0, 0, 0
    for key in lived.scored:
        table = lived.ws.store.read_partition("transactions", lived.portfolio.name, key, ["transaction_id", "label"])
        labels = dict(zip(table["transaction_id"].to_pylist(), table["label"].to_pylist(), strict=True))
        raised = [alert for alert in lived.alerts if alert.partition_key == key]
        flagged += sum(labels[alert.transaction_id] for alert in raised)
        fraud, rows = fraud + sum(labels.values()), rows + len(labels)
    assert flagged / len(lived.alerts) > 2 * fraud / rows


def test_names_and_values_cannot_write_markup(lived: Lived) -> None:
    pages = [lived.report, *(notice.html for notice in lived.notices)]
    pages += [path.read_text() for path in Path(lived.ws.store.root).rglob("validation/**/index.html")]
    for page in pages:
        assert "<b>town</b>" not in page
        assert "<b>of cars</b>" not in page
        assert "<Ford>" not in page


def test_reasons_name_columns_as_the_file_does(lived: Lived) -> None:
    told = " ".join(reason for alert in lived.alerts for reason in alert.reasons)
    known = {
        "accounts": "credit_risk_score is",
        "claims": "town</b> is <Ford>",
        "wide": "shop is s",
        "bare": "measured is",
        "hostile": "amount",
    }
    assert known[lived.name] in told


def test_doing_it_again_changes_nothing(lived: Lived) -> None:
    key = lived.scored[-1]
    name = lived.portfolio.name
    before = lived.ws.store.require("scores", name, key)
    assert [result.state for result in score_many(lived.ws, lived.portfolio, [key])] == ["unchanged"]
    assert raise_alerts(lived.ws, lived.portfolio, key, actor="service:test").raised == 0
    frame = model_frame(lived.ws, lived.portfolio, [key])
    with lived.ws.transaction() as session:
        champion = versions.version(session, name, before.facts["model_version"])
    model = load_model(lived.ws, champion)
    stored = lived.ws.store.read(before)["score"].to_numpy()
    assert (model.score(frame.iloc[:50]) == stored[:50]).all()


@pytest.mark.parametrize("lived", ["hostile"], indirect=True)
def test_names_from_files_are_text_in_all_that_people_read(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = lived.ws
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", ws.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(ws.store.root))
    pages = [path.read_text(encoding="utf-8") for path in ws.store.root.rglob("*.html")]
    mails = [notice.html for notice in lived.notices]
    assert len(pages) > 2
    assert any("&lt;script&gt;alert(1)" in mail for mail in mails)
    for page in [*pages, *mails]:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert str(7 * 191) not in page
    for notice in lived.notices:
        assert "\n" not in notice.subject
        assert not re.search(r"^(Bcc|Lines)", notice.text, re.MULTILINE)
        assert "\x1b" not in notice.subject + notice.text + notice.html
    said = [
        CliRunner().invoke(app, ["alerts", *words], catch_exceptions=False).output
        for words in (["list", "--limit", "500"], ["show", str(lived.alerts[0].id)])
    ]
    assert all("<script>" in text for text in said)
    for text in said:
        assert text.replace("\n", "").isprintable()
        assert not re.search(r"^Bcc", text, re.MULTILINE)
