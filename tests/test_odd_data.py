"""Data sets of odd kinds, from the file to the alert and the report, with the library alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fraudops.database import Alert, Notice, migrate
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.pending import pending_keys
from fraudops.decisions.scoring import score_many
from fraudops.features import build
from fraudops.intake.files import find_files
from fraudops.intake.landing import LandResult, land
from fraudops.intake.validation import publish, validate
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import promote
from fraudops.reports.training import write_training_report
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.training.candidates import CandidateResult, train
from fraudops.training.dataset import assemble
from fraudops.workspace import Workspace
from sqlalchemy import select

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

    def live(self) -> None:
        """History, training, promotion, then what came after."""
        ws, portfolio = self.ws, self.portfolio
        folder = ws.landing / portfolio.name
        self.oddity.write(folder, self.oddity.history, "history")
        keys = self.ingest("history")
        as_of = portfolio.partitioning.end(max(keys)) + portfolio.labels.delay
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
    postgres.ensure_database(f"odd_{name}")
    migrate(postgres.url(f"odd_{name}"))
    folder: Path = tmp_path_factory.mktemp(name)
    ws = Workspace(
        store=Store(folder / "store"),
        landing=folder / "landing",
        database_url=postgres.url(f"odd_{name}"),
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
    if lived.name == "bare":
        pytest.skip("nothing comes after its history; another test looks at its reasons")
    assert lived.alerts
    for alert in lived.alerts:
        assert alert.reasons
        assert (alert.amount_minor is not None) == lived.portfolio.has_amount
        assert bool(alert.currency) <= lived.portfolio.has_amount
    texts = " ".join(notice.subject + notice.text + notice.html for notice in lived.notices)
    assert ("0.00" in texts) <= lived.portfolio.has_amount
    assert ("payment" in texts) <= lived.portfolio.has_amount
