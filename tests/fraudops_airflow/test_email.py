"""The e-mail operator against real mail servers: TLS, logins, refusals, servers that die."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fraudops.database.models import Delivery, LedgerEntry
from fraudops.notices import outbox
from fraudops.portfolio import Portfolio
from fraudops.stack.mailsink import Login, Sink
from fraudops.stack.postbox import Certificate, make_certificate, messages_in, running
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.notices.servers import Script, scripted

# The sink over implicit TLS: aiosmtpd does not see that the login is encrypted.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

SECRET = "tx-000123"
LOGIN = Login("mailer", "correct horse")
PLAIN = {"disable_ssl": True, "disable_tls": True}
STARTTLS = {"disable_ssl": True}
IMPLICIT = {"disable_tls": True}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.fixture
def notice_id(workspace: Workspace, portfolios: dict[str, Portfolio]) -> int:
    """A notice that waits."""
    with workspace.transaction() as session:
        outbox.queue(
            session,
            portfolio=portfolios["cards"],
            kind="digest",
            dedupe_key="digest/2026-11-10",
            recipients=["a@bank.example", "b@bank.example"],
            subject=f"[fraudops] Grüße\r\nBcc: x@evil.example, {SECRET}",
            text=f"{SECRET}\n12,00 €\n",
            html=f"<p>{SECRET}</p>",
            as_of=datetime(2026, 11, 11, tzinfo=UTC),
        )
    (waiting,) = outbox.waiting(workspace)
    return waiting


class Sender:
    """Runs the operator as a task does, against a server of the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def connect(self, port: int, extra: dict[str, Any], login: Login | None = None) -> None:
        """Point the connection ``smtp_default`` at a server."""
        connection: dict[str, Any] = {"conn_type": "smtp", "host": "127.0.0.1", "port": port}
        connection["extra"] = {"timeout": 5, "retry_limit": 0, **extra}
        if login:
            connection |= {"login": login.user, "password": login.password}
        self._monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))

    def send(self, notice_id: int) -> dict[str, Any]:
        """Execute the task."""
        from fraudops_airflow.email import NoticeEmailOperator

        return NoticeEmailOperator(task_id="send", notice_id=notice_id, portfolio="cards").execute({})


@pytest.fixture
def sender(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Sender]:
    """The operator, in an environment like a worker's."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", workspace.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", workspace.ledger_key.hex())
    yield Sender(monkeypatch)
    # Whatever happened, nothing of the content or of the recipients was logged.
    for confidential in (SECRET, "evil.example", "a@bank.example", LOGIN.password):
        assert confidential not in caplog.text


def deliveries(ws: Workspace) -> list[Delivery]:
    with ws.transaction() as session:
        return list(session.scalars(select(Delivery).order_by(Delivery.id)))


def hold_uncertain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the portfolio hold notices of which nobody knows whether they were delivered."""
    shipped = Path(__file__).parents[2] / "include" / "portfolios" / "cards.yaml"
    folder = tmp_path / "portfolios"
    folder.mkdir()
    (folder / "cards.yaml").write_text(shipped.read_text().replace("uncertain: resend", "uncertain: hold"))
    monkeypatch.setenv("FRAUDOPS_PORTFOLIOS", str(folder))


@pytest.mark.parametrize(
    ("tls", "extra", "login"),
    [("off", PLAIN, None), ("starttls", STARTTLS, LOGIN), ("implicit", IMPLICIT, LOGIN)],
)
def test_sends_over_each_kind_of_connection(
    sender: Sender,
    notice_id: int,
    workspace: Workspace,
    maildir: Path,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
    tls: Any,
    extra: dict[str, Any],
    login: Login | None,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    sink = Sink("127.0.0.1", 0, maildir, tls=tls, certificate=certificate.certificate, key=certificate.key, login=login)
    with running(sink) as port:
        sender.connect(port, extra, login)
        assert sender.send(notice_id) == {"notice_id": notice_id, "state": "sent"}
        # A retry after success, or a second task: quiet, and nothing is sent.
        assert sender.send(notice_id) == {"notice_id": notice_id, "state": "sent"}
    (message,) = messages_in(maildir)
    assert message["Subject"] == f"[fraudops] Grüße Bcc: x@evil.example, {SECRET}"
    assert message["Bcc"] is None
    assert message["From"] == "fraudops@bank.example"
    assert message.get_all("Delivered-To") == ["a@bank.example", "b@bank.example"]
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content() == f"{SECRET}\n12,00 €\n"
    (delivery,) = deliveries(workspace)
    assert delivery.outcome == "sent"
    with workspace.transaction() as session:
        (entry,) = session.scalars(select(LedgerEntry))
    assert entry.details["message_id"] == message["Message-ID"]
    assert "@bank.example" not in json.dumps(entry.details).replace(message["Message-ID"], "")


def test_wrong_password_keeps_the_notice(
    sender: Sender, notice_id: int, workspace: Workspace, maildir: Path, certificate: Certificate
) -> None:
    from airflow.sdk.exceptions import AirflowException

    sink = Sink(
        "127.0.0.1",
        0,
        maildir,
        tls="implicit",
        certificate=certificate.certificate,
        key=certificate.key,
        login=LOGIN,
    )
    with running(sink) as port:
        sender.connect(port, {**IMPLICIT, "ssl_context": "none"}, Login("mailer", "wrong"))
        with pytest.raises(AirflowException, match="login refused, SMTP 535: check login and password"):
            sender.send(notice_id)
        assert outbox.waiting(workspace) == [notice_id]
        assert [delivery.outcome for delivery in deliveries(workspace)] == ["refused"]
        sender.connect(port, {**IMPLICIT, "ssl_context": "none"}, LOGIN)
        assert sender.send(notice_id)["state"] == "sent"


def test_server_that_wants_a_login_keeps_the_notice_waiting(
    sender: Sender, notice_id: int, workspace: Workspace, maildir: Path
) -> None:
    from airflow.sdk.exceptions import AirflowException

    with running(Sink("127.0.0.1", 0, maildir, login=LOGIN)) as port:
        sender.connect(port, PLAIN)
        with pytest.raises(AirflowException, match=r"not delivered to all \(SMTP 530\); it waits"):
            sender.send(notice_id)
    assert outbox.waiting(workspace) == [notice_id]


def test_unknown_certificate_is_not_trusted(
    sender: Sender, notice_id: int, workspace: Workspace, maildir: Path, certificate: Certificate
) -> None:
    from airflow.sdk.exceptions import AirflowException

    sink = Sink("127.0.0.1", 0, maildir, tls="starttls", certificate=certificate.certificate, key=certificate.key)
    with running(sink) as port:
        sender.connect(port, STARTTLS)
        with pytest.raises(AirflowException, match="CERTIFICATE_VERIFY_FAILED"):
            sender.send(notice_id)
    assert outbox.waiting(workspace) == [notice_id]
    assert messages_in(maildir) == []


def test_server_that_is_away_keeps_the_notice(sender: Sender, notice_id: int, workspace: Workspace) -> None:
    from airflow.sdk.exceptions import AirflowException

    with scripted(Script()) as port:
        pass
    sender.connect(port, PLAIN)
    with pytest.raises(AirflowException, match=r"'smtp_default' \(ConnectionRefusedError"):
        sender.send(notice_id)
    assert outbox.waiting(workspace) == [notice_id]


@pytest.mark.parametrize(
    ("extra", "greeting"), [(IMPLICIT, b"220 test"), (STARTTLS, b"220 test"), (PLAIN, b"\x15\x03")]
)
def test_server_that_speaks_another_language_keeps_the_notice(
    sender: Sender, notice_id: int, workspace: Workspace, extra: dict[str, Any], greeting: bytes
) -> None:
    from airflow.sdk.exceptions import AirflowException

    with scripted(Script(greeting=greeting)) as port:
        sender.connect(port, extra)
        with pytest.raises(AirflowException, match="no session with the mail server"):
            sender.send(notice_id)
    assert outbox.waiting(workspace) == [notice_id]
    assert [delivery.outcome for delivery in deliveries(workspace)] == ["refused"]


def test_server_that_falls_silent_after_the_message_leaves_its_fate_uncertain(
    sender: Sender, notice_id: int, workspace: Workspace
) -> None:
    from airflow.sdk.exceptions import AirflowException

    with scripted(Script(silence=1.5)) as port:
        sender.connect(port, {**PLAIN, "timeout": 1})
        with pytest.raises(AirflowException, match="uncertain whether it was delivered"):
            sender.send(notice_id)
    assert [delivery.outcome for delivery in deliveries(workspace)] == ["uncertain"]
    assert outbox.waiting(workspace) == [notice_id]


def test_refused_recipient_does_not_block_the_others(sender: Sender, notice_id: int, workspace: Workspace) -> None:
    script = Script(recipients={"a@bank.example": b"550 a@bank.example: no such user"})
    with scripted(script) as port:
        sender.connect(port, PLAIN)
        assert sender.send(notice_id)["state"] == "sent"
    assert script.envelopes == [["b@bank.example"]]
    (delivery,) = deliveries(workspace)
    assert delivery.accepted == ["b@bank.example"]
    assert delivery.refused == {"a@bank.example": "550 a@bank.example: no such user"}


def test_deferred_recipient_gets_it_later_and_the_other_only_once(
    sender: Sender, notice_id: int, workspace: Workspace
) -> None:
    from airflow.sdk.exceptions import AirflowException

    script = Script(recipients={"a@bank.example": b"450 a@bank.example: greylisted"})
    with scripted(script) as port:
        sender.connect(port, PLAIN)
        with pytest.raises(AirflowException, match="not delivered to all"):
            sender.send(notice_id)
        script.recipients.clear()
        assert sender.send(notice_id)["state"] == "sent"
    assert script.envelopes == [["b@bank.example"], ["a@bank.example"]]
    assert script.received[0] == script.received[1]


def test_server_that_dies_after_the_message_gets_it_again_with_the_same_message_id(
    sender: Sender, notice_id: int, workspace: Workspace
) -> None:
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    script = Script(receipt=None)
    with scripted(script) as port:
        sender.connect(port, PLAIN)
        with pytest.raises(AirflowException, match="uncertain whether it was delivered") as failure:
            sender.send(notice_id)
        assert not isinstance(failure.value, AirflowFailException)
        script.receipt = b"250 taken"
        assert sender.send(notice_id)["state"] == "sent"
    assert len(script.received) == 2
    assert script.received[0] == script.received[1]
    assert [delivery.outcome for delivery in deliveries(workspace)] == ["uncertain", "sent"]


def test_uncertain_notice_is_held_where_the_portfolio_says_so(
    sender: Sender, notice_id: int, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    hold_uncertain(tmp_path, monkeypatch)
    with scripted(Script(receipt=None)) as port:
        sender.connect(port, PLAIN)
        with pytest.raises(AirflowFailException, match=f"fraudops mail release {notice_id}"):
            sender.send(notice_id)
    assert outbox.waiting(workspace) == []
    assert outbox.state(workspace, notice_id) == "uncertain"


def test_rejected_notice_fails_for_good(sender: Sender, notice_id: int, workspace: Workspace) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    with scripted(Script(data=b"554 a@bank.example policy")) as port:
        sender.connect(port, PLAIN)
        with pytest.raises(AirflowFailException, match=r"rejects it \(SMTP 554\)"):
            sender.send(notice_id)
    assert outbox.state(workspace, notice_id) == "rejected"


def test_interrupted_sending_is_recorded_as_uncertain(
    sender: Sender, notice_id: int, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fraudops.notices.transmit", interrupt)
    with scripted(Script()) as port:
        sender.connect(port, PLAIN)
        with pytest.raises(KeyboardInterrupt):
            sender.send(notice_id)
    assert [delivery.outcome for delivery in deliveries(workspace)] == ["uncertain"]
    assert outbox.waiting(workspace) == [notice_id]


def test_notice_of_another_sender_is_left_alone(sender: Sender, notice_id: int, workspace: Workspace) -> None:
    assert outbox.claim(workspace, notice_id) is not None
    assert sender.send(notice_id) == {"notice_id": notice_id, "state": "sending"}


def test_operator_can_be_mapped_and_shows_nothing_of_the_content(tmp_path: Path) -> None:
    from airflow.providers.smtp.operators.smtp import EmailOperator
    from airflow.sdk import DAG
    from fraudops_airflow.email import NoticeEmailOperator

    assert issubclass(NoticeEmailOperator, EmailOperator)
    with DAG("notices", schedule=None) as dag:
        NoticeEmailOperator.partial(task_id="mapped", portfolio="cards", retries=2).expand(notice_id=[1, 2])
        single = NoticeEmailOperator(task_id="single", notice_id=3, portfolio="cards")
    assert dag.task_ids == ["mapped", "single"]
    assert set(single.template_fields) == {"notice_id", "portfolio", "conn_id"}
    with pytest.raises(TypeError):
        NoticeEmailOperator(task_id="content", notice_id=3, portfolio="cards", subject="mine")
