"""The whole pipeline over customers whom nobody else is called like; then everything that was written is searched."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import joblib
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fraudops import cases
from fraudops.database import CaseFile, Filing, Notice
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.pending import pending_keys
from fraudops.decisions.scoring import score_many
from fraudops.errors import FraudopsError
from fraudops.features import build
from fraudops.filings.acting import record_filed
from fraudops.filings.definition import read_clocks
from fraudops.filings.drafts import prepare
from fraudops.filings.warning import look_at_clocks
from fraudops.intake.apart import land_apart
from fraudops.intake.validation import publish, validate
from fraudops.keeping.configuration import note_configuration
from fraudops.keeping.verification import verify_and_tell
from fraudops.ledger import append
from fraudops.monitoring.watch import monitor
from fraudops.monthly.editions import make_pack
from fraudops.monthly.month import Month
from fraudops.notices import outbox
from fraudops.notices.champion_messages import promotion
from fraudops.notices.delivery import message_of
from fraudops.notices.keeping_messages import altered
from fraudops.notices.messages import validation_failure
from fraudops.portfolio import Portfolio
from fraudops.registry.candidates import train
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import promote
from fraudops.registry.requests import record_request
from fraudops.reports.evidence.filing import file_packs
from fraudops.reports.training import write_training_report
from fraudops.roles import read_roles
from fraudops.rules.raising import raise_hits
from fraudops.rules.registry import Rule, read_rules
from fraudops.rules.running import comply
from fraudops.settings import Settings
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.training.dataset import assemble
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.confidentiality import bank
from tests.confidentiality.searching import SIGNS, Search
from tests.databases import with_tables

CHECKOUT = Path(__file__).resolve().parents[2]
PROTECTED = ("protected", "customers_protected", "rule_hits_protected")
"""Areas of the store that may hold personal data: docs/confidentiality.md."""
ENCRYPTED = ("case_attachments", "drafts")
"""Areas that hold them encrypted: they are searched like any other."""
RUN = "manual__2026-03-07T00:00:00+00:00"
LAST = bank.LAST.isoformat()


@dataclass(frozen=True)
class Lived:
    """What was written by a life in which everything has happened once."""

    ws: Workspace
    portfolio: Portfolio
    log: Path
    mail: Path

    @property
    def store(self) -> Path:
        return Path(str(self.ws.store.root))


@pytest.fixture(scope="module")
def lived(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("confidentiality")
    ws = Workspace(
        store=Store(folder / "store"),
        landing=folder / "landing",
        database_url=with_tables(postgres, "confidentiality"),
        token_key=b"t" * 32,
        ledger_key=b"l" * 32,
        protection_key=b"p" * 32,
    )
    accounts = bank.portfolio(CHECKOUT / "include" / "portfolios" / "accounts.yaml", folder)
    bank.write(ws.landing / "accounts")
    (folder / "mail").mkdir()
    log = logging.FileHandler(folder / "log.txt", encoding="utf-8")
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    try:
        _live(ws, accounts)
        _write_mails(ws, folder / "mail")
    finally:
        root.setLevel(level)
        root.removeHandler(log)
        log.close()
    return Lived(ws, accounts, folder / "log.txt", folder / "mail")


def _live(ws: Workspace, portfolio: Portfolio) -> None:
    """From files to notices: intake, training, promotion, scores, alerts, rules, monitoring, verification."""
    log = logging.getLogger("tests.confidentiality")
    settings = Settings.from_environment({"FRAUDOPS_HOME": str(CHECKOUT)})
    note_configuration(ws, portfolio, settings, actor="service:accounts_land")
    names = sorted(path.name for path in (ws.landing / "accounts").iterdir())
    landed, refused = land_apart(ws, portfolio, names)
    log.info("%s %s %s %s", landed, landed.to_dict(), landed.notes, refused)
    *past, day_before, last, refused_day = sorted(landed.keys)
    for key in past:
        # Looked at by nobody: a month of it would take as long as all the rest.
        publish(ws, portfolio, key, actor="service:accounts_land")
    for key in (day_before, last, refused_day):
        outcome = validate(ws, portfolio, key)
        log.info("%s", outcome)
        if not outcome.passed:
            with ws.transaction() as session:
                validation_failure(session, ws, portfolio, key, outcome.failures, outcome.report)
            continue
        publish(ws, portfolio, key, actor="service:accounts_land")
    published = ws.store.keys("transactions", "accounts")
    build(ws, portfolio, published)
    as_of = portfolio.partitioning.end(published[-2])
    record_request(ws, portfolio, run_id=RUN, requested_by="mara", reason="the first", as_of=as_of)
    assemble(ws, portfolio, run_id=RUN, as_of=as_of)
    train(ws, portfolio, run_id=RUN, candidate="logistic_regression")
    log.info("%s", compare(ws, portfolio, run_id=RUN, as_of=as_of))
    write_training_report(ws, portfolio, run_id=RUN)
    file_packs(ws, portfolio, run_id=RUN)
    promoted = promote(ws, portfolio, run_id=RUN, approved_by="vera", reason="it is the first")
    with ws.transaction() as session:
        promotion(session, ws, portfolio, promoted)
    score_many(ws, portfolio, pending_keys(ws, portfolio))
    for key in ws.store.keys("scores", "accounts"):
        log.info("%s", raise_alerts(ws, portfolio, key, actor="service:accounts_score").to_dict())
    rules = read_rules(CHECKOUT / "include" / "rules")
    for found in comply(ws, portfolio, [LAST], rules):
        log.info("%s", found)
        log.info("%s", raise_hits(ws, portfolio, found.key, rules, actor="service:accounts_comply").to_dict())
    log.info("%s", monitor(ws, portfolio, ws.store.keys("scores", "accounts")).to_dict())
    _investigate(ws, portfolio, rules)
    pack = make_pack(ws, portfolio, Month("2026-02"), settings.rules, actor="service:accounts_report", incomplete=True)
    log.info("%s", pack.to_dict())
    log.info("%s", verify_and_tell(ws, portfolio, now=as_of + timedelta(days=2), thorough=True).to_dict())


def _investigate(ws: Workspace, portfolio: Portfolio, rules: Mapping[str, Rule]) -> None:
    """From a case to a filed report, with clocks, drafts, an attachment and a look at who it is about."""
    log = logging.getLogger("tests.confidentiality")
    roles, clocks = read_roles(CHECKOUT / "include" / "roles.yaml"), read_clocks(CHECKOUT / "include" / "clocks")
    for key in ws.store.keys("scores", "accounts"):
        log.info("%s", cases.gather(ws, portfolio, key, actor="service:accounts_score").to_dict())
    with ws.transaction() as session:
        (listed,) = [
            case for case in session.scalars(select(CaseFile)) if case.subject == "C0" and case.severity == "critical"
        ]
    number, officer = listed.number, {"by": "officer", "roles": roles}
    cases.start(ws, portfolio, number, by="analyst", roles=roles)
    cases.note(ws, portfolio, number, text="the list has the same person", by="analyst", roles=roles)
    cases.attach(ws, portfolio, number, name="passport.txt", content=bank.NAMES[0].encode(), by="analyst", roles=roles)
    with ws.transaction() as session:
        log.info("%s", cases.read(ws, session, portfolio, number, rules=rules))
    found = datetime.now(UTC).date()  # a person records it now, whatever the days that it is about
    cases.escalate(ws, portfolio, number, detected_on=found, suspect_known=True, reason="it is her", **officer)
    for today in (found, found + timedelta(days=29), found + timedelta(days=31)):
        noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
        log.info("%s", look_at_clocks(ws, portfolio, clocks, noon, actor="service:accounts_clocks").to_dict())
    with ws.transaction() as session:
        filings = {filing.id: filing.kind for filing in session.scalars(select(Filing))}
    assert sorted(set(filings.values())) == ["ctr", "sar"]
    for filing in filings:
        prepare(ws, portfolio, clocks, rules, filing, as_of=noon, **officer)
        record_filed(ws, portfolio, clocks, filing, filed_on=found, reference="31000123456789", now=noon, **officer)
    cases.close(ws, portfolio, number, finding="fraud", reason="made by her", by="analyst", roles=roles)
    cases.approve(ws, portfolio, number, **officer)


def _write_mails(ws: Workspace, folder: Path) -> None:
    """Every notice as it goes over the wire."""
    for number in outbox.waiting(ws, limit=1_000):
        claimed = outbox.claim(ws, number)
        assert claimed is not None
        (folder / f"{number}.eml").write_bytes(message_of(ws, claimed).as_bytes())


@pytest.fixture(scope="module")
def search() -> Search:
    return Search(bank.CANARIES)


# -- nothing is where it must not be -------------------------------------------------------------------


def test_everything_happened(lived: Lived) -> None:
    """Else there would be nothing to find."""
    areas = {path.name for path in lived.store.iterdir()}
    written = {"quarantine", "scores", "rule_hits", "models", "reports", "ledger_heads", "packs"}
    assert {*PROTECTED, *ENCRYPTED, *written} <= areas
    with lived.ws.transaction() as session:
        kinds = set(session.scalars(select(Notice.kind)))
    assert {"digest", "immediate", "rule_hits", "promotion", "ledger_head", "validation_failure"} <= kinds, kinds
    assert {"clock_warning", "monthly_report"} <= kinds, kinds
    assert len(list(lived.mail.iterdir())) > 5
    assert lived.log.stat().st_size > 5_000


def test_the_store_outside_of_its_protected_areas(lived: Lived, search: Search) -> None:
    assert search.files(lived.store, but=PROTECTED) == []


def test_the_database_with_ledger_and_outbox(lived: Lived, search: Search) -> None:
    assert search.database(lived.ws.database_url) == []


def test_mails(lived: Lived, search: Search) -> None:
    assert search.files(lived.mail) == []


def test_logs_and_what_steps_hand_on(lived: Lived, search: Search) -> None:
    assert search.content("log", lived.log.read_bytes()) == []


def test_no_sign_of_a_report_about_anybody(lived: Lived) -> None:
    signs = Search(SIGNS)
    assert signs.database(lived.ws.database_url) == []
    assert signs.files(lived.store, but=("rule_hits",)) == [], "a rule's source may name the law"
    assert signs.files(lived.mail) == []
    assert signs.content("log", lived.log.read_bytes()) == []


@pytest.mark.parametrize("content", [f"id,{bank.ACCOUNTS[0]}\n1,{bank.NAMES[0]}\n", "\x00{", f"{bank.CARDS[0]}"])
def test_errors_about_files_name_nobody(lived: Lived, search: Search, content: str) -> None:
    path = lived.ws.landing / "accounts" / "transactions_2026-03-09.csv"
    path.write_text(content)
    try:
        _, refused = land_apart(lived.ws, lived.portfolio, [path.name])
    except FraudopsError as error:
        refused = [error]  # type: ignore[list-item]
    finally:
        path.unlink()
    assert refused
    assert search.content("error", repr(refused).encode()) == []
    assert search.content("error", "; ".join(map(str, refused)).encode()) == []


# -- and the search would find it ----------------------------------------------------------------------


def test_what_is_protected_is_where_it_belongs(lived: Lived, search: Search) -> None:
    """The areas that are left out hold what is looked for: the search can see it there."""
    assert {leak.where.split("/")[0] for leak in search.files(lived.store)} == {"protected", "customers_protected"}


NAME, NUMBER = bank.NAMES[0], bank.ACCOUNTS[0]
PLANTED = {
    "plain": f"x {NAME} y".encode(),
    "without spaces": NAME.replace(" ", "").encode(),
    "reversed": f"..{NUMBER[::-1]}..".encode(),
    "small letters": f"<{NUMBER.lower()}>".encode(),
    "hex": NUMBER.encode().hex().encode(),
    "umlauts in JSON": b'"\\u00dcmm\\u00fcg\\u00fcl \\u00c7a\\u011flayan-Wexx"',
    "umlauts in HTML": b"<!doctype html><html>&Uuml;mm&uuml;g&uuml;l &Ccedil;a&#287;layan-Wexx",
    **{f"base64 after {n}": base64.b64encode(b"-" * n + NUMBER.encode() + b"--") for n in range(4)},
    "zstd": pa.compress(NAME.encode() * 3, codec="zstd", asbytes=True),
}


@pytest.mark.parametrize("form", PLANTED)
def test_a_planted_canary_is_found(search: Search, tmp_path: Path, form: str) -> None:
    (tmp_path / "planted").write_bytes(PLANTED[form])
    assert search.files(tmp_path)


def test_a_canary_in_a_table_a_model_a_file_s_name_or_a_mail_is_found(
    lived: Lived, search: Search, tmp_path: Path
) -> None:
    table = io.BytesIO()
    pq.write_table(pa.table({"a": ["x", NAME]}), table, compression="zstd")
    model = io.BytesIO()
    joblib.dump({"categories": [f"{NUMBER}{n}" for n in range(99)]}, model, compress=3)
    assert NUMBER.encode() not in model.getvalue(), "else nothing has to be unpacked"
    for content in (table.getvalue(), model.getvalue()):
        assert search.content("x", content)
    (tmp_path / f"{NUMBER}.csv").touch()
    assert search.files(tmp_path)


def test_a_canary_in_the_ledger_or_in_a_notice_is_found(lived: Lived, search: Search) -> None:
    with lived.ws.transaction() as session:
        append(session, b"k", portfolio="accounts", actor="a", action="b", subject="c", details={"who": [{"n": NAME}]})
        altered(session, lived.ws, lived.portfolio, [NAME], as_of=datetime.now(UTC) + timedelta(days=1))
        session.flush()
        found = session.scalars(select(Notice.text)).all()
        assert search.content("notice", "\n".join(found).encode())
        session.rollback()
