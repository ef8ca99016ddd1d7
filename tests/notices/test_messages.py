"""What the notices say, and what they cannot be made to say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from fraudops.database.models import Alert, Notice, Verdict
from fraudops.notices import champion_messages, messages
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.notices.conftest import KEY, MOMENT, a_model

RaiseAlert = Callable[..., Alert]


class _Page(HTMLParser):
    """Collects elements and addresses of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.shown = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src", "background")]

    def handle_data(self, data: str) -> None:
        self.shown += data


def only(ws: Workspace) -> Notice:
    with ws.transaction() as session:
        return session.scalars(select(Notice)).one()


def send_digest(ws: Workspace, portfolio: Portfolio, alerts: list[Alert]) -> bool:
    with ws.transaction() as session:
        return messages.alert_digest(session, ws, portfolio, KEY, alerts)


def cut_down(portfolio: Portfolio) -> Portfolio:
    return portfolio.model_copy(update={"notices": portfolio.notices.model_copy(update={"detail": "reference"})})


def test_without_amounts_a_notice_names_none(workspace: Workspace, cards: Portfolio, raise_alert: RaiseAlert) -> None:
    alert = raise_alert(amount_minor=None, currency="", reasons=[])
    assert send_digest(workspace, cards, [alert])
    digest = only(workspace)
    assert digest.subject == f"[fraudops] cards {KEY}: 1 alert, 1 blocked"
    assert "1 alert, 1 blocked; scored by v3\n\nBLOCK  score 0.973\n" in digest.text
    with workspace.transaction() as session:
        session.delete(session.get(Notice, digest.id))
        messages.immediate_alert(session, workspace, cards, alert)
    immediate = only(workspace)
    assert immediate.subject == "[fraudops] cards: transaction tx-000123 blocked"
    assert "Amount" not in immediate.text
    for notice in (digest, immediate):
        shown = _Page(notice.html).shown
        assert "None" not in shown
        assert "0.00" not in shown
        assert "in all" not in shown


def test_digest_says_all_that_is_needed(workspace: Workspace, cards: Portfolio, raise_alert: RaiseAlert) -> None:
    alerts = [
        raise_alert(transaction_id="tx-2", score=0.61, decision="review", amount_minor=260_010, reasons=["Night"]),
        raise_alert(),
    ]
    assert send_digest(workspace, cards, alerts) is True
    notice = only(workspace)
    assert notice.subject == "[fraudops] cards 2026-11-10: 2 alerts, 1 blocked, 3,412.50 EUR"
    assert notice.kind == "digest"
    assert notice.recipients == ["compliance@bank.example"]
    assert notice.as_of == cards.partitioning.end(KEY)
    shown = _Page(notice.html).shown
    for part in (notice.text, shown):
        for expected in (
            "tx-000123",
            "812.40 EUR",
            "2,600.10 EUR",
            "0.973",
            "2026-11-10 03:12:45 UTC",
            "Night",
            "v3",
        ):
            assert expected in part
        assert part.index("tx-000123") < part.index("tx-2")
    link = "http://127.0.0.1:8080/plugin/fraud-ops/fraud-ops/alerts?portfolio=cards&first=2026-11-10&last=2026-11-10"
    assert link in notice.text
    # Nothing is loaded from anywhere: the only addresses are links.
    assert set(_Page(notice.html).addresses) == {link}
    assert "img" not in _Page(notice.html).tags


def test_digest_again_is_not_queued_but_later_alerts_are(
    workspace: Workspace, cards: Portfolio, raise_alert: RaiseAlert
) -> None:
    first = raise_alert()
    assert send_digest(workspace, cards, []) is False
    assert send_digest(workspace, cards, [first]) is True
    assert send_digest(workspace, cards, [first]) is False
    assert send_digest(workspace, cards, [first, raise_alert(transaction_id="late")]) is True


def test_digest_of_very_many_alerts_stays_readable(
    workspace: Workspace, cards: Portfolio, raise_alert: RaiseAlert
) -> None:
    one = raise_alert()
    many = [
        Alert(
            id=number,
            transaction_id=f"tx{number:05d}",
            model_id=one.model_id,
            decision="review",
            score=0.5,
            amount_minor=number,
            minor_digits=2,
            currency=("EUR", "USD", "CHF", "SEK")[number % 4],
            event_time=MOMENT,
            reasons=[],
        )
        for number in range(1500)
    ]
    send_digest(workspace, cards, many)
    notice = only(workspace)
    assert "1,500 alerts, 0 blocked" in notice.subject
    assert notice.subject.endswith("2,812.50 CHF + 2 other currencies")
    assert "and 1,400 more" in notice.text
    assert len(notice.html) < 400_000


@pytest.mark.parametrize("field", ["transaction_id", "currency", "reasons"])
def test_values_cannot_become_markup_headers_or_lines(
    workspace: Workspace, cards: Portfolio, raise_alert: RaiseAlert, field: str
) -> None:
    evil = "</td><script>alert(1)</script>\r\nBcc: x@evil.example\r\n\r\n<img src=http://evil.example/>{{ 7 * 6 }}"
    value = {"transaction_id": evil, "currency": "<b>\r\nX", "reasons": [evil]}[field]
    alert = raise_alert(**{field: value})
    with workspace.transaction() as session:
        messages.immediate_alert(session, workspace, cards, alert)
        messages.alert_digest(session, workspace, cards, KEY, [alert])
    with workspace.transaction() as session:
        for notice in session.scalars(select(Notice)):
            page = _Page(notice.html)
            assert not {"script", "img", "b"} & set(page.tags)
            assert len(set(page.addresses)) == 1
            assert "\n" not in notice.subject
            assert not any(line.startswith(("Bcc:", "X")) for line in notice.text.splitlines())
            assert "42" not in notice.text


def test_immediate_alert_is_queued_once(workspace: Workspace, cards: Portfolio, raise_alert: RaiseAlert) -> None:
    alert = raise_alert(currency="JPY", minor_digits=0, amount_minor=81_240)
    for expected in (True, False):
        with workspace.transaction() as session:
            assert messages.immediate_alert(session, workspace, cards, alert) is expected
    notice = only(workspace)
    assert notice.subject == "[fraudops] cards: transaction tx-000123 blocked, 81,240 JPY"
    assert "12.4 times this customer's mean" in notice.text
    assert f"Alert no. {alert.id}, computed from partition 2026-11-10 by model v3." in notice.text


def test_reference_detail_is_a_number_and_a_link(
    workspace: Workspace, cards: Portfolio, raise_alert: RaiseAlert
) -> None:
    alert = raise_alert()
    with workspace.transaction() as session:
        messages.alert_digest(session, workspace, cut_down(cards), KEY, [alert])
        messages.immediate_alert(session, workspace, cut_down(cards), alert)
        messages.validation_failure(session, workspace, cut_down(cards), KEY, ["amount: secret"], None)
    with workspace.transaction() as session:
        notices = list(session.scalars(select(Notice).order_by(Notice.id)))
    assert [notice.subject for notice in notices] == [
        "[fraudops] cards 2026-11-10: 1 alert",
        f"[fraudops] cards: alert no. {alert.id}",
        "[fraudops] cards 2026-11-10: stopped by validation, 1 check failed",
    ]
    links = ("/fraud-ops/alerts?portfolio=cards&", f"/fraud-ops/alerts/cards/{alert.id}", "/dags/cards_ingest")
    assert [link in notice.text for link, notice in zip(links, notices, strict=True)] == [True] * 3
    for notice in notices:
        for secret in ("tx-000123", "812.40", "0.973", "mean of 30 days", "secret", "block"):
            assert secret not in notice.text
            assert secret not in _Page(notice.html).shown


def test_validation_failure_goes_to_the_data_owner_once_per_cause(workspace: Workspace, cards: Portfolio) -> None:
    def fail(*failures: str, link: str | None = "validation/cards/date=2026-11-10/index.html") -> bool:
        with workspace.transaction() as session:
            return messages.validation_failure(session, workspace, cards, KEY, list(failures), link)

    assert fail("rows: 3, expected at least 100") is True
    notice = only(workspace)
    assert notice.recipients == ["data-owner@bank.example"]
    assert "rows: 3, expected at least 100" in notice.text
    assert "http://127.0.0.1:8080/plugin/fraud-ops/fraud-ops/validation/cards/2026-11-10" in notice.text
    assert (
        "http://127.0.0.1:8080/plugin/fraud-ops/fraud-ops/validation/cards/2026-11-10" in _Page(notice.html).addresses
    )
    assert fail("rows: 3, expected at least 100") is False
    assert fail("amount: 4 % missing", link="https://ui.example/page") is True
    assert fail("amount: 5 % missing", link=None) is True


def test_verdict_and_promotion_reach_the_model_owner(workspace: Workspace, cards: Portfolio) -> None:
    with workspace.transaction() as session:
        champion, challenger = a_model(3), a_model(4, "xgboost")
        challenger.run_id = "manual__2026-11-23T20:00:00+00:00"
        session.add_all([champion, challenger])
        session.flush()
        found = Verdict(
            portfolio="cards",
            run_id="manual__2026-11-23T20:00:00+00:00",
            challenger_id=challenger.id,
            champion_id=champion.id,
            outcome="PROMOTE",
            reason="0.71 against <0.64>",
            gates=[
                {
                    "name": "above_baseline",
                    "value": 0.71,
                    "interval": [0.6, 0.8],
                    "threshold": 0.4,
                    "passed": True,
                },
                {"name": "positives", "value": None, "interval": None, "threshold": "20", "passed": False},
                {
                    "name": "drift",
                    "value": 1,
                    "threshold": 0,
                    "passed": False,
                    "decides": False,
                    "explanation": "Why",
                },
                {
                    "name": "no segment loses",
                    "value": -0.3,
                    "interval": [-0.5, -0.1],
                    "threshold": -0.1,
                    "passed": False,
                    "measured": "channel <online>: -0.300 [-0.500, -0.100]",
                    "required": "no loss of more than 0.1",
                },
            ],
            as_of=MOMENT,
            created_at=MOMENT,
        )
        session.add(found)
        session.flush()
        record = SimpleNamespace(
            kind="promotion",
            version="v4",
            candidate="xgboost",
            artifact_sha256="ab" * 32,
            previous="v3",
            effective_from=(MOMENT + timedelta(days=1)).isoformat(),
            approved_by="validator",
            reason="Read it\r\nall",
            promoted_at=MOMENT.isoformat(),
            ledger_number=17,
        )
        assert champion_messages.verdict(session, workspace, cards, found) is True
        assert champion_messages.promotion(session, workspace, cards, record) is True
        assert champion_messages.promotion(session, workspace, cards, record) is False
    with workspace.transaction() as session:
        told, promoted = session.scalars(select(Notice).order_by(Notice.id))
    assert told.recipients == promoted.recipients == ["model-risk@bank.example"]
    assert told.subject == "[fraudops] cards: PROMOTE for v4 (xgboost)"
    assert "above baseline: 0.71 (0.6 to 0.8), threshold 0.4" in told.text
    assert "FAILED  positives: —, threshold 20" in told.text
    assert "noted   drift: 1, threshold 0\n          Why\n" in told.text
    assert (
        "no segment loses: channel <online>: -0.300 [-0.500, -0.100], required: no loss of more than 0.1" in told.text
    )
    assert "channel &lt;online&gt;" in told.html
    assert "&lt;0.64&gt;" in told.html
    assert "/fraud-ops/reports/cards/manual__2026-11-23T20%3A00%3A00%2B00%3A00" in told.html
    assert promoted.subject == "[fraudops] cards: v4 (xgboost) is the new champion"
    for expected in ("v3", "validator", "Read it all", "2026-11-11 03:12:45 UTC", "ledger entry 17"):
        assert expected in promoted.text
        assert expected in _Page(promoted.html).shown
