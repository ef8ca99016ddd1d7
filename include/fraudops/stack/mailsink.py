"""A mail server that keeps what it receives: every message becomes a file of a maildir, and goes nowhere.

::

    python -m fraudops.stack.mailsink --host 127.0.0.1 --port 2525 --maildir data/mail

For development and the tests; with a certificate it speaks TLS from the first byte (``--tls implicit``) or on
request (``--tls starttls``), and with ``--user`` it wants a login, whose password comes from the environment
variable ``FRAUDOPS_MAILSINK_PASSWORD`` so that no process listing shows it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hmac
import logging
import mailbox
import os
import signal
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from fraudops.errors import ConfigurationError, FraudopsError

PASSWORD_VARIABLE = "FRAUDOPS_MAILSINK_PASSWORD"
MAXIMUM_BYTES = 10 * 1024 * 1024
_log = logging.getLogger("fraudops.mailsink")


@dataclass(frozen=True)
class Login:
    """The one account that may send."""

    user: str
    password: str

    def __call__(self, server: Any, session: Session, envelope: Envelope, mechanism: str, auth_data: Any) -> AuthResult:
        """Check a login (aiosmtpd's ``authenticator``)."""
        if not isinstance(auth_data, LoginPassword):
            return AuthResult(success=False, handled=False)
        is_right = hmac.compare_digest(auth_data.login, self.user.encode()) & hmac.compare_digest(
            auth_data.password, self.password.encode()
        )
        # handled=False: aiosmtpd gives the answer, 235 or 535.
        return AuthResult(success=is_right, handled=False)


class MaildirHandler:
    """Writes each message into a maildir, with the envelope in front as a delivering server does."""

    def __init__(self, folder: Path) -> None:
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self._maildir = mailbox.Maildir(folder, factory=None, create=False)

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        """Store the message; a full disk is the sender's to hear about, so that it keeps the notice."""
        content = envelope.content
        body = content if isinstance(content, bytes) else str(content).encode()
        trace = f"Return-Path: <{envelope.mail_from}>\n" + "".join(
            f"Delivered-To: {recipient}\n" for recipient in envelope.rcpt_tos
        )
        try:
            key = self._maildir.add(trace.encode("utf-8", "replace") + body.replace(b"\r\n", b"\n"))
        except OSError as error:
            _log.error("cannot store a message: %s", error)
            return "452 4.3.1 cannot store the message, try later"
        return f"250 2.0.0 stored as {key}"


@dataclass(frozen=True)
class Sink:
    """A mail sink's settings.

    Parameters
    ----------
    port
        0 takes a free one.
    tls
        ``implicit`` from the first byte, ``starttls`` on request (and then required), ``off``.
    """

    host: str
    port: int
    maildir: Path
    maximum_bytes: int = MAXIMUM_BYTES
    tls: Literal["off", "starttls", "implicit"] = "off"
    certificate: Path | None = None
    key: Path | None = None
    login: Login | None = None

    async def listen(self) -> asyncio.Server:
        """Start listening in the running event loop.

        Raises
        ------
        FraudopsError
            The port is taken or not allowed.
        """
        context = self._tls_context()
        handler = MaildirHandler(self.maildir)
        loop = asyncio.get_running_loop()

        def protocol() -> SMTP:
            return SMTP(
                handler,
                hostname="fraudops-mailsink",
                ident="fraudops mail sink",
                loop=loop,
                data_size_limit=self.maximum_bytes,
                enable_SMTPUTF8=True,
                timeout=60,
                tls_context=context if self.tls == "starttls" else None,
                require_starttls=self.tls == "starttls",
                authenticator=self.login,
                auth_required=self.login is not None,
                # aiosmtpd takes only STARTTLS for encryption, and would refuse a login over implicit TLS.
                auth_require_tls=self.tls == "starttls",
            )

        try:
            return await loop.create_server(
                protocol, self.host, self.port, ssl=context if self.tls == "implicit" else None
            )
        except OSError as error:
            raise FraudopsError(
                f"cannot listen: {error.strerror or error}",
                where=f"mail sink, {self.host}:{self.port}",
                remedy="stop what uses the port, or choose another with --port",
            ) from None

    def _tls_context(self) -> ssl.SSLContext | None:
        if self.tls == "off":
            return None
        if self.certificate is None or self.key is None:
            raise ConfigurationError(
                f"TLS ({self.tls}) needs a certificate and its key",
                where="mail sink",
                remedy="give --certificate and --key",
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


async def run(sink: Sink) -> None:
    """Serve until SIGTERM or SIGINT; a message being received then is finished or refused, never cut in two."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = await sink.listen()
    _log.info("listening on %s:%s, keeping messages in %s", sink.host, _port(server), sink.maildir)
    await stop.wait()
    server.close()
    _log.info("stopped")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    # aiosmtpd logs every command, and with it who wrote to whom.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    try:
        sink = _sink(_parser().parse_args(arguments))
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(run(sink))
    except FraudopsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m fraudops.stack.mailsink", description="Keeps every e-mail it gets."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--maildir", type=Path, required=True, help="folder to keep messages in")
    parser.add_argument("--maximum-bytes", type=int, default=MAXIMUM_BYTES, help="larger messages are refused")
    parser.add_argument("--tls", choices=("off", "starttls", "implicit"), default="off")
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--user", help=f"ask for a login; its password is read from {PASSWORD_VARIABLE}")
    return parser


def _sink(options: argparse.Namespace) -> Sink:
    login = None
    if options.user:
        password = os.environ.get(PASSWORD_VARIABLE)
        if not password:
            raise ConfigurationError(
                "--user is given without a password", where="mail sink", remedy=f"set {PASSWORD_VARIABLE}"
            )
        login = Login(options.user, password)
    return Sink(
        host=options.host,
        port=options.port,
        maildir=options.maildir,
        maximum_bytes=options.maximum_bytes,
        tls=options.tls,
        certificate=options.certificate,
        key=options.key,
        login=login,
    )


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
