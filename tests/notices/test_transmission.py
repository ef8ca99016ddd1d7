"""Who has the message afterwards is known, whatever the server does."""

from __future__ import annotations

import email
import email.policy
import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from fraudops.notices import Transmission, compose, transmit

from tests.notices.servers import Script, scripted

TWO = ("a@bank.example", "b@bank.example")


def a_message(**changes: str) -> EmailMessage:
    values = {"subject": "Grüße, 14 alerts", "text": "line\n.\n..dots\nΣ €\n", "html": "<p>Grüße €</p>", **changes}
    return compose(
        message_id="<0123456789abcdef0123456789abcdef@bank.example>",
        date=datetime(2026, 11, 10, 4, tzinfo=UTC),
        sender="fraudops@bank.example",
        recipients=TWO,
        portfolio="cards",
        kind="digest",
        notice_id=7,
        **values,
    )


def attempt(script: Script) -> Transmission:
    with scripted(script) as port, smtplib.SMTP("127.0.0.1", port, "localhost", timeout=5) as client:
        return transmit(client, a_message(), sender="fraudops@bank.example", recipients=TWO)


def parsed(script: Script) -> EmailMessage:
    content = script.received[0].replace(b"\r\n..", b"\r\n.")
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_message_has_both_parts_and_fixed_headers() -> None:
    script = Script()
    result = attempt(script)
    assert result.outcome == "sent"
    assert result.accepted == TWO
    message = parsed(script)
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    text, html = message.iter_parts()
    assert text.get_content().replace("\r\n", "\n").rstrip("\n") == "line\n.\n..dots\nΣ €"
    assert html.get_content().strip() == "<p>Grüße €</p>"
    assert message["Subject"] == "Grüße, 14 alerts"
    assert message["Message-ID"] == "<0123456789abcdef0123456789abcdef@bank.example>"
    assert message["Date"] == "Tue, 10 Nov 2026 04:00:00 +0000"
    assert message["To"] == "a@bank.example, b@bank.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Fraudops-Notice"] == "7"
    assert script.received[0].isascii()


def test_same_notice_gives_same_bytes() -> None:
    assert a_message().as_bytes() == a_message().as_bytes()


def test_line_break_in_a_header_is_impossible() -> None:
    with pytest.raises(ValueError, match="linefeed or carriage return"):
        a_message(subject="hello\r\nBcc: x@evil.example")


@pytest.mark.parametrize(
    ("script", "outcome", "code"),
    [
        (Script(mail=b"550 who are you"), "rejected", 550),
        (Script(mail=b"530 log in first"), "refused", 530),
        (Script(mail=b"451 later"), "refused", 451),
        (Script(mail=None), "refused", None),
        (Script(data=b"554 no"), "rejected", 554),
        (Script(data=b"452 full"), "refused", 452),
        (Script(data=None), "refused", None),
        (Script(receipt=b"550 spam"), "rejected", 550),
        (Script(receipt=b"451 later"), "refused", 451),
        (Script(receipt=None), "uncertain", None),
        (Script(receipt=b"what"), "uncertain", None),
        (Script(recipients={TWO[0]: b"421 closing"}), "refused", 421),
        (Script(recipients=dict.fromkeys(TWO, b"550 unknown")), "rejected", 550),
        (Script(recipients={TWO[0]: b"450 greylisted", TWO[1]: b"550 unknown"}), "refused", 550),
    ],
)
def test_outcome_follows_from_how_far_it_came(script: Script, outcome: str, code: int | None) -> None:
    result = attempt(script)
    assert (result.outcome, result.code) == (outcome, code)
    assert result.accepted == ()


def test_one_refused_recipient_does_not_block_the_other() -> None:
    script = Script(recipients={TWO[0]: b"550 no such user"})
    result = attempt(script)
    assert result.outcome == "sent"
    assert result.accepted == (TWO[1],)
    assert result.refused == {TWO[0]: "550 no such user"}
    assert script.envelopes == [[TWO[1]]]
    assert "no such user" not in repr(result)
