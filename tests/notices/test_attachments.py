"""Files that notices bring: the same bytes in every attempt, and never other ones."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fraudops.notices import outbox
from fraudops.notices.attachments import Attachment, fitting
from fraudops.notices.delivery import deliver, message_of
from fraudops.portfolio import Portfolio
from fraudops.stack.postbox import postbox
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

# Line ends of three kinds, a dot on a line of its own, no line end at the end: what servers on the way change.
CONTENT = b"a\r\nb\nc\r.\r\n..\r\n\x00\xff" + bytes(range(256)) * 20


@pytest.fixture
def attached(workspace: Workspace) -> Attachment:
    place = workspace.store.put(CONTENT, "packs", "cards", "2026-03", "pack.pdf")
    path = place.relative_to(workspace.store.root).as_posix()
    return Attachment("März.pdf", "application/pdf", path, len(CONTENT), sha256_of(CONTENT))


@pytest.fixture
def notice_id(workspace: Workspace, cards: Portfolio, attached: Attachment) -> int:
    with workspace.transaction() as session:
        for _ in range(2):
            outbox.queue(
                session, portfolio=cards, kind="monthly_report", dedupe_key="m/1", recipients=["a@bank.example"],
                subject="s", text="the text\n", html="<p>the page</p>", as_of=datetime(2026, 4, 1, tzinfo=UTC),
                attachments=[attached],
            )  # fmt: skip
    (found,) = outbox.waiting(workspace)
    return found


def test_a_file_arrives_byte_for_byte(workspace: Workspace, notice_id: int, tmp_path: Path) -> None:
    with postbox(tmp_path) as box:
        with smtplib.SMTP(box.host, box.port, "localhost") as client:
            client.starttls(context=box.trust())
            client.login(box.user, box.password)
            assert deliver(workspace, client, notice_id) == "sent"
        (message,) = box.messages()
    (part,) = message.iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("März.pdf", "application/pdf")
    assert part.get_payload(decode=True) == CONTENT
    text = message.get_body(("plain",))
    assert text is not None
    assert text.get_content() == "the text\n"


def test_every_attempt_has_the_same_bytes(workspace: Workspace, notice_id: int) -> None:
    first = outbox.claim(workspace, notice_id)
    assert first is not None
    once = message_of(workspace, first).as_bytes()
    outbox.refused(workspace, first, "later")
    second = outbox.claim(workspace, notice_id)
    assert second is not None
    assert message_of(workspace, second).as_bytes() == once


@pytest.mark.parametrize("altered", [b"something else", None])
def test_a_file_that_is_not_the_one_that_was_queued_is_not_sent(
    workspace: Workspace, notice_id: int, attached: Attachment, altered: bytes | None
) -> None:
    path = Path(str(workspace.store.root)) / attached.path
    path.write_bytes(altered) if altered else path.unlink()
    assert deliver(workspace, smtplib.SMTP(), notice_id) == "rejected"
    path.write_bytes(CONTENT)
    outbox.release(workspace, notice_id, actor="ann")
    assert outbox.waiting(workspace) == [notice_id]


def test_what_is_too_large_is_left_out_and_what_fits_is_taken() -> None:
    files = [
        Attachment(name, "text/csv", name, size, "") for name, size in (("a", 900_000), ("b", 200_000), ("c", 50_000))
    ]
    assert [file.name for file in fitting(files, 1)] == ["a", "c"]
    assert fitting(files, 0) == []
