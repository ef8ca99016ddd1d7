"""The mail sink keeps every message, and refuses what it should."""

from __future__ import annotations

import os
import signal
import smtplib
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fraudops.errors import ConfigurationError, FraudopsError
from fraudops.stack.mailsink import Sink, main
from fraudops.stack.postbox import messages_in, running

MAIL = "From: a@b.example\r\nTo: c@d.example\r\nSubject: Gr=C3=BC\r\n\r\n.dot\r\nline\r\n"


def test_message_is_kept_with_its_envelope(tmp_path: Path) -> None:
    maildir = tmp_path / "a folder" / "mail"
    with running(Sink("127.0.0.1", 0, maildir)) as port, smtplib.SMTP("127.0.0.1", port, "localhost") as client:
        client.sendmail("a@b.example", ["c@d.example", "e@f.example"], MAIL)
    (message,) = messages_in(maildir)
    assert message.get_all("Delivered-To") == ["c@d.example", "e@f.example"]
    assert message["Return-Path"] == "<a@b.example>"
    assert message.get_content() == ".dot\nline\n"


def test_existing_folder_is_used_as_it_is(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            running(Sink("127.0.0.1", 0, tmp_path)) as port,
            smtplib.SMTP("127.0.0.1", port, "localhost") as client,
        ):
            client.sendmail("a@b.example", ["c@d.example"], MAIL)
    assert len(messages_in(tmp_path)) == 2


def test_oversized_message_is_refused(tmp_path: Path) -> None:
    sink = Sink("127.0.0.1", 0, tmp_path, maximum_bytes=1_000)
    with running(sink) as port, smtplib.SMTP("127.0.0.1", port, "localhost") as client:
        with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
            client.sendmail("a@b.example", ["c@d.example"], MAIL + "x\r\n" * 1_000)
        assert refusal.value.smtp_code == 552
    assert messages_in(tmp_path) == []


def test_message_that_cannot_be_stored_stays_with_its_sender(tmp_path: Path) -> None:
    with running(Sink("127.0.0.1", 0, tmp_path)) as port, smtplib.SMTP("127.0.0.1", port, "localhost") as client:
        (tmp_path / "tmp").rmdir()
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            client.sendmail("a@b.example", ["c@d.example"], MAIL)
        assert refusal.value.smtp_code == 452


def test_tls_needs_a_certificate(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigurationError, match="needs a certificate"),
        running(Sink("127.0.0.1", 0, tmp_path, tls="implicit")),
    ):
        pass


def test_login_needs_a_password(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--maildir", str(tmp_path), "--user", "mailer"]) == 1
    assert "set FRAUDOPS_MAILSINK_PASSWORD" in capsys.readouterr().err


def test_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(FraudopsError, match=rf"127\.0\.0\.1:{port}: cannot listen.*choose another"),
            running(Sink("127.0.0.1", port, tmp_path)),
        ):
            pass


def test_process_ends_well_when_asked_to(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "fraudops.stack.mailsink", "--port", "0", "--maildir", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    port = int(first.split("listening on 127.0.0.1:")[1].split(",")[0])
    # A client that is connected does not keep the sink from ending.
    with smtplib.SMTP("127.0.0.1", port, "localhost") as client:
        client.sendmail("a@b.example", ["c@d.example"], MAIL)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
        client.close()
    rest = process.stderr.read()
    process.stderr.close()
    assert "stopped" in rest
    assert "Traceback" not in rest
    assert len(messages_in(tmp_path)) == 1
