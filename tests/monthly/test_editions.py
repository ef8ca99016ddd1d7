"""A month's pack: what it says, that it stays what it was, that it is told once."""

from __future__ import annotations

import csv
import io
import shutil
import smtplib
from dataclasses import replace
from pathlib import Path

import pytest
from fraudops.errors import ContractError, IntegrityError
from fraudops.keeping.verification import verify
from fraudops.monitoring.watch import monitor, unmonitored
from fraudops.monthly.completeness import due_packs, undone_of
from fraudops.monthly.days import FRAUD, GENUINE, OPEN, read_days
from fraudops.monthly.editions import PAGE, PAPER, SHEET, Edition, editions, make_pack
from fraudops.monthly.month import Month
from fraudops.monthly.pack import Pack
from fraudops.notices.delivery import deliver
from fraudops.notices.outbox import waiting
from fraudops.stack.postbox import postbox

from tests.keeping.conftest import DAYS, Shop, at, portfolio_of

MARCH = Month("2026-03")
RULES = Path(__file__).resolve().parents[2] / "include" / "rules"


@pytest.fixture
def march(shop: Shop) -> Shop:
    """The shop was open for eight days of March, and nobody has anything left to do."""
    whole = replace(shop, portfolio=portfolio_of(start="2026-03-01T00:00:00+00:00", end="2026-03-09T00:00:00+00:00"))
    monitor(whole.ws, whole.portfolio, unmonitored(whole.ws, whole.portfolio), may_retrain=False)
    return whole


def make(shop: Shop, **arguments: object) -> Edition:
    return make_pack(shop.ws, shop.portfolio, MARCH, RULES, actor="ann", **arguments)  # type: ignore[arg-type]


def files_of(shop: Shop, edition: Edition) -> dict[str, bytes]:
    folder = Path(str(shop.ws.store.root)) / edition.path
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_a_month_was_is_counted_by_what_was_known_at_a_moment(march: Shop) -> None:
    early = read_days(march.ws, march.portfolio, MARCH, at("2026-03-06"))
    whole = early.added_up(DAYS[:5])
    # 20.00 of each day is reported the same day; a label is due a day after its payment.
    assert (whole.total(outcome=FRAUD).number, whole.total(outcome=FRAUD).minor) == (4, 8_000)
    assert whole.total(outcome=GENUINE).number == 8
    assert (whole.total(outcome=OPEN).number, {k: v.number for k, v in whole.early.items()}) == (3, {"EUR": 1})
    assert whole.total(decisions=["block"]).number == 5
    assert early.versions == {"v1": DAYS}
    later = read_days(march.ws, march.portfolio, MARCH, at("2026-04-01")).added_up()
    assert (later.total(outcome=FRAUD).number, later.total(outcome=OPEN).number) == (8, 0)


def test_a_pack_is_made_once_and_stays_what_it_was(march: Shop) -> None:
    made = make(march)
    before = files_of(march, made)
    assert (made.state, made.notices, set(made.digests)) == ("made", 1, set(before))
    # A payment of March that comes late, a report of fraud, another champion: nothing of it was known.
    march.land(march.deliver("tx_2026-03-02.csv.2", "x,2026-03-02T10:00:00Z,5.00,c1,,,,,"))
    march.land(labels=(march.report("2026-04-20", "2026-03-01-a"),))
    again = make(march)
    assert (again.state, again.notices, files_of(march, again)) == ("unchanged", 0, before)
    restated = make(march, as_of=at("2026-04-21"), incomplete=True)
    assert editions(march.ws, march.portfolio) == ["2026-03_as-of-2026-04-01T00", "2026-03_as-of-2026-04-21T00"]
    assert files_of(march, again) == before
    packs = [Pack.from_bytes(files_of(march, one)["pack.json"]) for one in (again, restated)]
    assert [(pack.restated, str(pack.headline["Fraud, of what has matured"])[:5]) for pack in packs] == [
        (False, "33.33"),
        (True, "36.00"),
    ]
    entries = march.ledger("monthly_pack")
    assert [(entry.actor, entry.subject) for entry in entries] == [
        ("ann", f"shop/packs/{made.folder}"),
        ("ann", f"shop/packs/{restated.folder}"),
    ]


def test_what_was_lost_is_made_again_to_the_byte_and_what_was_altered_is_noticed(march: Shop) -> None:
    made = make(march)
    before = files_of(march, made)
    folder = Path(str(march.ws.store.root)) / made.path
    shutil.rmtree(folder)
    assert make(march).state == "unchanged"
    assert files_of(march, made) == before
    (folder / PAPER).unlink()
    make(march)
    assert files_of(march, made) == before
    (folder / PAGE).write_bytes(before[PAGE].replace(b"33.33", b"03.33"))
    with pytest.raises(IntegrityError, match=r"index\.html is not the one that was written"):
        make(march)


def test_a_month_waits_for_its_partitions_unless_somebody_says_otherwise(march: Shop) -> None:
    wanting = replace(march, portfolio=portfolio_of(start="2026-03-01T00:00:00+00:00", end="2026-03-11T00:00:00+00:00"))
    left = undone_of(march.ws, wanting.portfolio, MARCH, RULES)
    assert left.sentence == "not published: 2026-03-09, 2026-03-10"
    with pytest.raises(ContractError, match="the month is not complete: not published: 2026-03-09"):
        make(wanting)
    now = at("2026-04-03")
    assert due_packs(march.ws, wanting.portfolio, RULES, now=now) == []
    (due,) = due_packs(march.ws, wanting.portfolio, RULES, now=at("2026-04-06"))
    assert (due.month, due.incomplete) == (MARCH, True)
    (due,) = due_packs(march.ws, march.portfolio, RULES, now=now)
    assert not due.incomplete
    assert due_packs(march.ws, march.portfolio, RULES, now=at("2026-03-31")) == []
    made = make(wanting, incomplete=True)
    page = files_of(wanting, made)[PAGE].decode()
    assert "2 of 10 partitions are missing: 2026-03-09, 2026-03-10." in page
    assert due_packs(march.ws, wanting.portfolio, RULES, now=at("2026-05-06")) == []


def test_nothing_is_said_of_what_cannot_be_known(march: Shop) -> None:
    with pytest.raises(ContractError, match="the month is not over"):
        make(march, as_of=at("2026-03-20"))
    with pytest.raises(ContractError, match="nothing is known up to 2026-06-01"):
        make(march, as_of=at("2026-06-01"))
    with pytest.raises(ContractError, match="there is nothing of this month"):
        make_pack(march.ws, march.portfolio, Month("2027-01"), RULES, actor="ann")


def test_the_documents_say_the_same_and_are_safe_to_open(march: Shop) -> None:
    title = "=cmd|'/C calc'!A1 <b>"
    odd = replace(march, portfolio=march.portfolio.model_copy(update={"title": title}))
    with march.ws.transaction() as session:
        from fraudops.database import PromotionRecord
        from sqlalchemy import update

        session.execute(update(PromotionRecord).values(reason="=1+1", effective_from=at("2026-03-01")))
    made = make(odd)
    found = files_of(odd, made)
    rows = list(csv.DictReader(io.StringIO(found[SHEET].decode())))
    values = {(row["table"], row["row"], row["column"]): row for row in rows}
    assert len(values) == len(rows), "each number has a name of its own"
    assert values["fraud", "EUR", "Of them fraud"]["value"] == "8"
    assert values["fraud_value", "EUR", "Of it fraud"]["value"] == "160.00"
    assert values["alerts", "all alerts", "Alerts"]["value"] == "8"
    assert [row["text"] for row in rows if row["column"] == "Reason"] == ["'=1+1"]
    page = found[PAGE].decode()
    assert "&lt;b&gt;" in page
    assert "<b>:" not in page
    assert "<script" not in page
    assert "http" not in page
    assert found[PAPER].startswith(b"%PDF")
    assert all(row["source"] for row in rows)


def test_the_mail_brings_the_pack_byte_for_byte(march: Shop, tmp_path: Path) -> None:
    made = make(march)
    number = max(waiting(march.ws))
    with postbox(tmp_path) as box:
        with smtplib.SMTP(box.host, box.port, "localhost") as client:
            client.starttls(context=box.trust())
            client.login(box.user, box.password)
            assert deliver(march.ws, client, number) == "sent"
        (message,) = box.messages()
    stored = files_of(march, made)
    arrived = {part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()}
    assert arrived == {f"shop-2026-03.{name.rpartition('.')[2]}": stored[name] for name in (PAPER, PAGE, SHEET)}
    text, page = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert "Attached: shop-2026-03.pdf, shop-2026-03.html, shop-2026-03.csv." in text.get_content()
    assert "Monthly pack of 2026-03" in page.get_content()


def test_what_a_mail_has_no_room_for_stays_in_the_store(march: Shop) -> None:
    small = march.portfolio.notices.model_copy(update={"attachments": 0})
    made = make(replace(march, portfolio=march.portfolio.model_copy(update={"notices": small})))
    notice = march.notices()[-1]
    assert f"All of it lies in the store under {made.path}." in notice.text
    assert "Not attached, for their size: shop-2026-03.pdf" in notice.text


def test_verification_names_a_pack_s_file_that_is_another_gone_or_too_many(march: Shop) -> None:
    edition = make(march)
    found = verify(march.ws, march.portfolio, now=at("2026-04-01"))
    assert (found.packs, found.findings) == (1, ())
    folder = Path(str(march.ws.store.root)) / edition.path
    (folder / SHEET).write_bytes((folder / SHEET).read_bytes().replace(b"1", b"2"))
    (folder / PAPER).unlink()
    (folder / "more.html").write_text("another story")
    shutil.copytree(folder, folder.with_name("2026-02_as-of-2026-03-01T00"))
    place = f"packs {folder.name}"
    assert list(verify(march.ws, march.portfolio, now=at("2026-04-01")).findings) == [
        "packs 2026-02_as-of-2026-03-01T00: the pack is not in the ledger",
        f"{place}: more.html does not belong to the pack",
        f"{place}: {SHEET} is not the one that was written",
        f"{place}: {PAPER} is gone",
    ]
