"""Every kind of notice in every language: nothing is missing, nothing is left in English, each reader has theirs."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fraudops import notices
from fraudops.database.models import Alert, Notice, Verdict
from fraudops.ledger import SignedHead
from fraudops.notices import (
    champion_messages,
    clock_messages,
    intake_messages,
    keeping_messages,
    lateness,
    messages,
    model_messages,
    monitoring_messages,
    report_messages,
    rule_messages,
    summaries,
    words,
)
from fraudops.notices.attachments import Attachment
from fraudops.portfolio import Portfolio
from fraudops.portfolio.notices import KINDS
from fraudops.workspace import Workspace
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.notices.conftest import KEY, MOMENT, a_model

Send = Callable[[Session, Workspace, Portfolio], bool]
RULE = SimpleNamespace(title="REGEL", severity="high")
OF_THE_RECORD = {
    *("review", "block", "passed", "failed", "noted", "low", "medium", "high", "critical", "info"),
    *("Transactions", "Fraud, of what has matured", "Alerts", "Precision of alerts", "Frauds found"),
    "Drift, at its worst",
}
"""Words that a notice is given: decisions, results of gates, severities, the headline of a monthly pack."""
# What no German sentence has; values of the tests are in capitals.
ENGLISH_ONLY = re.compile(r"\b(the|of|and|is|were|has|have|with|by|it|this|not|no|more|than|to|for)\b")


def _verdict(session: Session, number: int = 7) -> Verdict:
    models = [a_model(number, "FOREST"), a_model(number + 1, "TREES")]
    session.add_all(models)
    session.flush()
    gates = [
        {"name": "LIFT", "passed": True, "value": 0.1, "interval": None, "threshold": 0.0, "explanation": ""},
        {"name": "COST", "passed": False, "measured": "MEASURED", "required": "REQUIRED", "explanation": "SO"},
        {"name": "EXTRA", "passed": False, "decides": False, "value": None, "threshold": None},
    ]
    found = Verdict(
        portfolio="cards", run_id=f"RUN{number}", outcome="PROMOTE", reason="REASON", gates=gates, as_of=MOMENT,
        created_at=MOMENT, challenger=models[0], champion=models[1],
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found


def _promoted(kind: str) -> Any:
    return SimpleNamespace(
        kind=kind, version="v4", candidate="FOREST", artifact_sha256="ab" * 32, previous=None,
        effective_from="2026-11-11T00:00:00+00:00", approved_by="ANN", reason="REASON",
        promoted_at="2026-11-12T00:00:00+00:00", ledger_number=len(kind),
    )  # fmt: skip


def _changed(count: int) -> list[messages.ChangedPartition]:
    return [messages.ChangedPartition(f"2026-03-{n:02d}", 1, 2, 3, ("A", "B", "C", "D")) for n in range(1, count + 1)]


def _every_message(alert: Alert) -> Iterator[Send]:
    """One of each kind, and of each way of putting it."""
    review = Alert(
        id=899, transaction_id="TX2", model_id=alert.model_id, decision="review", score=0.5, minor_digits=2,
        currency="", event_time=MOMENT, reasons=[], partition_key=KEY, as_of=MOMENT,
    )  # fmt: skip
    others = [
        Alert(id=900 + n, transaction_id=f"T{n}", model_id=alert.model_id, decision="review", score=0.5, amount_minor=5,
              minor_digits=2, currency=currency, event_time=MOMENT, reasons=[])
        for n, currency in enumerate(["EUR", "USD", "CHF", "SEK"] * 40)
    ]  # fmt: skip
    pack = Attachment("P.PDF", "application/pdf", "packs/x", 10, "ab" * 32)
    large = Attachment("P.CSV", "text/csv", "packs/y", 10**9, "ab" * 32)
    yield lambda s, w, p: messages.alert_digest(s, w, p, KEY, [alert])
    yield lambda s, w, p: messages.alert_digest(s, w, p, KEY, [alert, *others])
    yield lambda s, w, p: messages.alert_digest(s, w, p, KEY, [alert, *others[:3]])
    yield lambda s, w, p: messages.immediate_alert(s, w, p, alert)
    yield lambda s, w, p: messages.immediate_alert(s, w, p, review)
    yield lambda s, w, p: messages.validation_failure(s, w, p, KEY, ["F"] * 60, "validation/x")
    yield lambda s, w, p: messages.correction(s, w, p, until=4, partitions=_changed(1), stale=[], models=[])
    yield lambda s, w, p: messages.correction(s, w, p, until=5, partitions=_changed(2), stale=[KEY], models=["MODEL"])
    yield lambda s, w, p: messages.correction(
        s, w, p, until=6, partitions=_changed(30) * 2, stale=["A", "B"], models=[]
    )
    yield lambda s, w, p: champion_messages.verdict(s, w, p, _verdict(s))
    yield lambda s, w, p: champion_messages.promotion(s, w, p, _promoted("promotion"))
    yield lambda s, w, p: champion_messages.promotion(s, w, p, _promoted("rollback"))
    yield lambda s, w, p: model_messages.overtaken(s, w, p, _verdict(s, 17), by="ANN", reason="REASON")
    yield lambda s, w, p: model_messages.model_refused(s, w, p, a_model(), found="no file", finding=3)
    yield lambda s, w, p: model_messages.model_refused(s, w, p, a_model(), found="cd" * 32, finding=4)
    for remedy in (None, "REMEDY"):
        yield lambda s, w, p, r=remedy: intake_messages.file_refused(
            s, w, p, name="FILE", sha256=r or "", what="WHAT", remedy=r, now=MOMENT
        )  # type: ignore[misc]
    yield lambda s, w, p: intake_messages.late_partition(
        s, w, p, key=KEY, due=MOMENT, cause="file", what="WHAT", remedy="REMEDY", now=MOMENT
    )
    for status, started in (("ok", None), ("watch", None), ("act", "RUN")):
        yield lambda s, w, p, a=status, b=started: monitoring_messages.status_changed(
            s, w, p, version="v3", status=a, before="ok", since=KEY, as_of=MOMENT,
            reasons=["FINDING"] if b else [], started=b,
        )  # fmt: skip  # type: ignore[misc]
    stretch = summaries.Stretch(9, {"2026-03-01": 2, "2026-03-02": 3}, 3, 2, {("EUR", 2): 12_345_678}, ["v3"])
    yield lambda s, w, p: summaries.historic_alerts(s, w, p, stretch)
    yield lambda s, w, p: summaries.restatement(
        s, w, p, summaries.Restated("RUN", ["A", "B"], "v3", "REASON", "ANN", 1, 2, 3, 4, MOMENT, 5)
    )
    yield lambda s, w, p: rule_messages.hits_digest(s, w, p, KEY, [(RULE, 1)], ["h"])
    yield lambda s, w, p: rule_messages.hits_digest(s, w, p, KEY, [(RULE, 1200), (RULE, 1)], ["h", "i"])
    yield lambda s, w, p: rule_messages.historic_hits(s, w, p, rule_messages.PastHits(8, {KEY: 1}, {"REGEL": 1}))
    yield lambda s, w, p: keeping_messages.altered(s, w, p, ["BEFUND"] * 25, as_of=MOMENT)
    head = SignedHead(1204, "ab" * 32, MOMENT, "cd" * 32)
    yield lambda s, w, p: keeping_messages.head_kept(s, w, p, head, as_of=MOMENT)
    yield lambda s, w, p: lateness._queue(s, w, p, lateness.Late(1, 5, MOMENT))
    yield lambda s, w, p: lateness._queue(s, w, p, lateness.Late(2, 6, MOMENT))
    due = [clock_messages.Due(f"C{n // 2}", f"CASE-{n // 2}", date(2026, 3, 4 + n), f"{n}") for n in range(4)]
    many = [clock_messages.Due(f"D{n}", f"CASE-{n}", date(2026, 3, 9), "3") for n in range(30)]
    for found in (due, due[2:3], many):
        yield lambda s, w, p, a=found: clock_messages.clock_warning(s, w, p, a, today=date(2026, 3, 6), as_of=MOMENT)  # type: ignore[misc]
    yield lambda s, w, p: report_messages.monthly_report(
        s, w, p, month="2026-03", edition="E", as_of=MOMENT, files=[pack, large], folder="packs/2026-03",
        headline=[("Transactions", "1"), ("Fraud, of what has matured", "2 %"), ("Alerts", "3"), ("Partitions", "4"),
                  ("Precision of alerts", "5"), ("Frauds found", "6"), ("Drift, at its worst", "ok")],
        remarks=["REMARK"],
    )  # fmt: skip


def speaking(portfolio: Portfolio, **changes: Any) -> Portfolio:
    return portfolio.model_copy(update={"notices": portfolio.notices.model_copy(update=changes)})


def queued(ws: Workspace) -> list[Notice]:
    with ws.transaction() as session:
        return list(session.scalars(select(Notice).order_by(Notice.id)))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every sentence that was to be translated."""
    found: set[str] = set()
    original = words.translation

    def translation(english: str, language: str) -> str:
        found.add(english)
        return original(english, language)

    monkeypatch.setattr(words, "translation", translation)
    monkeypatch.setattr(notices.rendering, "translation", translation)
    return found


def test_every_kind_is_told_in_german_and_nothing_is_missing(
    workspace: Workspace, cards: Portfolio, raise_alert: Callable[..., Alert], asked: set[str]
) -> None:
    german = speaking(cards, language="de")
    alert = raise_alert(reasons=["GRUND"], transaction_id="TX")
    for send in _every_message(alert):
        with workspace.transaction() as session:
            assert send(session, workspace, german)
    with workspace.transaction() as session:
        messages.immediate_alert(
            session, workspace, speaking(german, detail="reference"), raise_alert(transaction_id="R")
        )
    found = queued(workspace)
    assert {notice.kind for notice in found} == set(KINDS)
    known = words.catalogue("de")
    assert asked - set(known) - _values(asked) == set(), "say these in include/fraudops/notices/languages/de.yaml"
    for notice in found:
        shown = re.sub(r"(?s)<style>.*</style>|<[^>]+>", " ", notice.html)
        for part in (notice.subject, notice.text, shown):
            left = ENGLISH_ONLY.findall(_without_quoted(part))
            assert not left, f"{notice.kind}: {left} in {part}"
        assert '<html lang="de">' in notice.html
    (digest,) = [notice for notice in found if notice.kind == "digest" and "161 Alarme" in notice.subject]
    assert "weitere Währungen" in digest.subject
    assert "812,40 EUR" in digest.text


def test_places_for_values_are_the_same_on_both_sides() -> None:
    for english, german in words.catalogue("de").items():
        assert _places(english) == _places(german), english


def test_each_reader_has_their_language_and_nobody_is_told_twice(
    workspace: Workspace, cards: Portfolio, raise_alert: Callable[..., Alert]
) -> None:
    alert = raise_alert()
    mixed = speaking(cards, compliance=("a@b.example", "c@b.example"), languages={"C@b.example": "de"})
    later = speaking(mixed, languages={"a@b.example": "de"})
    for portfolio, expected in ((mixed, True), (mixed, False), (later, False)):
        with workspace.transaction() as session:
            assert messages.alert_digest(session, workspace, portfolio, KEY, [alert]) is expected
    english, german = queued(workspace)
    assert (english.recipients, german.recipients) == (["a@b.example"], ["c@b.example"])
    assert ("1 alert, 1 blocked" in english.subject, "1 Alarm, 1 blockiert" in german.subject) == (True, True)


def test_kind_and_severity_say_who_is_written_to(
    workspace: Workspace, cards: Portfolio, raise_alert: Callable[..., Alert]
) -> None:
    alert = raise_alert()
    lists = {"immediate": {"critical": ("chief@b.example",)}, "digest": {"any": ("team@b.example",)}}
    chosen = speaking(cards, to=lists)
    with workspace.transaction() as session:
        messages.immediate_alert(session, workspace, chosen, alert)
        messages.alert_digest(session, workspace, chosen, KEY, [alert])
        messages.immediate_alert(session, workspace, chosen, raise_alert(transaction_id="low", decision="review"))
    assert [notice.recipients for notice in queued(workspace)] == [
        ["chief@b.example"],
        ["team@b.example"],
        ["compliance@bank.example"],
    ]


def test_a_sentence_that_a_language_lacks_is_said_in_english() -> None:
    assert words.say("Nobody has translated {n} of these", n=1200).told("de") == "Nobody has translated 1.200 of these"
    assert not words.catalogue("xx")


def test_numbers_and_money_are_written_as_the_reader_writes_them() -> None:
    amount = words.Amount(341_250, 2, "EUR")
    assert (str(amount), amount.told("de")) == ("3,412.50 EUR", "3.412,50 EUR")
    assert words.Joined(("", words.Count(1204, "alert"), amount)).told("de") == "1.204 Alarme, 3.412,50 EUR"


def test_the_catalogue_has_what_is_said_and_nothing_else() -> None:
    said, written = _in_code()
    known = set(words.catalogue("de"))
    assert said <= known, "say these in include/fraudops/notices/languages/de.yaml"
    nouns = {name for text in written for name in (text, f"{text}s")}
    assert known - said - nouns - OF_THE_RECORD == set(), "nobody says these any more"


def test_every_kind_is_on_its_page() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "notices.md").read_text()
    assert {kind for kind in KINDS if f"`{kind}`" not in page} == set()


def _in_code() -> tuple[set[str], set[str]]:
    """What code and templates say, and every text that the code has."""
    folder = Path(notices.__file__).parent
    said: set[str] = set()
    written: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                written.add(node.value)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                said |= {text.value for text in node.args if isinstance(text, ast.Constant)}
    for path in (folder / "templates").iterdir():
        said |= set(re.findall(r'_\("([^"]+)"', path.read_text()))
    return said, written


def _values(texts: Iterable[str]) -> set[str]:
    """Words that come with the record and are the same in every language."""
    return {text for text in texts if text.isupper() or text in ("ok", "watch", "act")}


def _without_quoted(text: str) -> str:
    """Without commands, addresses and names that are not words."""
    text = re.sub(r"https?://\S+|fraudops [a-z]+( [a-z]+)*( --?\w+ \S+)*|'[^']*'", " ", text)
    return re.sub(r"\S+@\S+|cards_\w+|packs/\S+", " ", text)


def _places(text: str) -> list[str]:
    return sorted(re.findall(r"\{(\w+)\}", text))
