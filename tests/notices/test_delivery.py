"""One notice over an open connection: sent once, recorded as it ended."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fraudops.errors import ContractError
from fraudops.notices import outbox
from fraudops.notices.delivery import deliver
from fraudops.portfolio import Portfolio
from fraudops.stack.postbox import Postbox, postbox
from fraudops.workspace import Workspace

from tests.notices.servers import Script, scripted


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Postbox]:
    with postbox(tmp_path) as found:
        yield found


@pytest.fixture
def notice_id(workspace: Workspace, cards: Portfolio) -> int:
    with workspace.transaction() as session:
        outbox.queue(
            session,
            portfolio=cards,
            kind="digest",
            dedupe_key="digest/1",
            recipients=["compliance@bank.example"],
            subject="2 alerts",
            text="the text",
            html="<p>the page</p>",
            as_of=datetime(2026, 11, 10, tzinfo=UTC),
        )
    (found,) = outbox.waiting(workspace)
    return found


def test_it_arrives_with_text_and_page(workspace: Workspace, box: Postbox, notice_id: int) -> None:
    with smtplib.SMTP(box.host, box.port, "localhost") as client:
        client.starttls(context=box.trust())
        client.login(box.user, box.password)
        assert deliver(workspace, client, notice_id) == "sent"
        assert deliver(workspace, client, notice_id) == "sent"
    (message,) = box.messages()
    assert message["To"] == "compliance@bank.example"
    assert message["X-Fraudops-Notice"] == str(notice_id)
    text, page = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert text.get_content() == "the text\n"
    assert page.get_content() == "<p>the page</p>\n"


def test_what_the_server_defers_waits(workspace: Workspace, notice_id: int) -> None:
    with scripted(Script(mail=b"451 later")) as port, smtplib.SMTP("127.0.0.1", port, "localhost") as client:
        assert deliver(workspace, client, notice_id) == "waiting"
    assert outbox.waiting(workspace) == [notice_id]


def test_an_unknown_outcome_is_held_where_the_portfolio_says_so(workspace: Workspace, notice_id: int) -> None:
    with scripted(Script(receipt=None)) as port:
        client = smtplib.SMTP("127.0.0.1", port, "localhost")
        assert deliver(workspace, client, notice_id, on_uncertain="hold") == "uncertain"
        client.close()
    assert outbox.waiting(workspace) == []


def test_a_notice_that_does_not_exist_is_named(workspace: Workspace, box: Postbox) -> None:
    with smtplib.SMTP(box.host, box.port, "localhost") as client, pytest.raises(ContractError, match="notice 99"):
        deliver(workspace, client, 99)
