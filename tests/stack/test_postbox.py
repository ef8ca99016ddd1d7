"""The postbox asks for TLS and a login, also of a caller whose own event loop is running."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from fraudops.stack.postbox import Postbox, postbox

MAIL = "From: a@b.example\r\nTo: c@d.example\r\nSubject: hello\r\n\r\ntext\r\n"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Postbox]:
    with postbox(tmp_path) as found:
        yield found


def send(box: Postbox) -> None:
    with smtplib.SMTP(box.host, box.port, "localhost") as client:
        client.starttls(context=box.trust())
        client.login(box.user, box.password)
        client.sendmail("a@b.example", ["c@d.example"], MAIL)


def test_who_checks_the_certificate_and_logs_in_may_send(box: Postbox) -> None:
    send(box)
    (message,) = box.messages()
    assert message["Subject"] == "hello"
    assert message["Delivered-To"] == "c@d.example"


def test_without_tls_nothing_is_taken(box: Postbox) -> None:
    with smtplib.SMTP(box.host, box.port, "localhost") as client, pytest.raises(smtplib.SMTPException):
        client.sendmail("a@b.example", ["c@d.example"], MAIL)
    assert box.messages() == []


def test_without_the_right_password_nothing_is_taken(box: Postbox) -> None:
    with smtplib.SMTP(box.host, box.port, "localhost") as client:
        client.starttls(context=box.trust())
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login(box.user, "wrong")
        with pytest.raises(smtplib.SMTPException):
            client.sendmail("a@b.example", ["c@d.example"], MAIL)
    assert box.messages() == []


def test_a_client_that_trusts_the_public_authorities_only_refuses_it(box: Postbox) -> None:
    with smtplib.SMTP(box.host, box.port, "localhost") as client, pytest.raises(ssl.SSLCertVerificationError):
        client.starttls(context=ssl.create_default_context())


def test_password_and_key_are_kept_apart(box: Postbox, tmp_path: Path) -> None:
    assert box.password not in repr(box)
    assert (tmp_path / "key.pem").stat().st_mode & 0o077 == 0


def test_it_works_where_an_event_loop_is_running_as_in_a_notebook(tmp_path: Path) -> None:
    async def cell() -> int:
        with postbox(tmp_path) as box:
            send(box)
            return len(box.messages())

    assert asyncio.run(cell()) == 1


def test_afterwards_nobody_listens_even_if_somebody_was_connected(tmp_path: Path) -> None:
    with postbox(tmp_path) as box, socket.create_connection((box.host, box.port)) as client:
        client.recv(100)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((box.host, box.port), timeout=5)
