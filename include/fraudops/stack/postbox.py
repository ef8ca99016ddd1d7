"""A mail server inside this process, as strict as a bank's: TLS with a certificate to check, and a login.

For notebooks and tests; it keeps what it receives (see :mod:`fraudops.stack.mailsink`) and sends nothing on::

    with postbox(folder) as box, smtplib.SMTP(box.host, box.port) as client:
        client.starttls(context=box.trust())
        client.login(box.user, box.password)
"""

from __future__ import annotations

import asyncio
import email.policy
import ipaddress
import logging
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fraudops.stack.mailsink import Login, Sink
from fraudops.stack.secrets import write_private

_HOST = "127.0.0.1"
_VALID = timedelta(days=1)
_CLOCKS_DIFFER = timedelta(minutes=5)
_PATIENCE = 5.0
"""Seconds that ending may take."""


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate of 127.0.0.1, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Postbox:
    """Where to send to, as whom, and where what arrived is kept."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    certificate: Path
    maildir: Path

    def trust(self) -> ssl.SSLContext:
        """What a client needs to check that it speaks to this very server."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def messages(self) -> list[EmailMessage]:
        """What was received, the oldest first."""
        return messages_in(self.maildir)


@contextmanager
def postbox(folder: Path) -> Iterator[Postbox]:
    """Run a mail server that demands STARTTLS and a login, on a free port of this machine.

    Parameters
    ----------
    folder
        For the certificate, its key and the mails.
    """
    login = Login("fraudops", secrets.token_urlsafe(12))
    made = make_certificate(folder)
    maildir = folder / "mail"
    sink = Sink(_HOST, 0, maildir, tls="starttls", certificate=made.certificate, key=made.key, login=login)
    with running(sink) as port:
        yield Postbox(_HOST, port, login.user, login.password, made.certificate, maildir)


@contextmanager
def running(sink: Sink) -> Iterator[int]:
    """A sink in a thread of its own; gives its port."""
    # aiosmtpd logs every command, and with it who wrote to whom, and at each login that a name of its own is old.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    # Not in the caller's event loop: a notebook's is running, and waits for the cell that waits for us.
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="mail sink", daemon=True)
    thread.start()
    try:
        server = asyncio.run_coroutine_threadsafe(sink.listen(), loop).result()
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            asyncio.run_coroutine_threadsafe(_close(server), loop).result(_PATIENCE)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        loop.close()


async def _close(server: asyncio.Server) -> None:
    """Stop listening and hang up on whoever is still connected."""
    server.close()
    conversations = asyncio.all_tasks() - {asyncio.current_task()}
    for conversation in conversations:
        conversation.cancel()
    await asyncio.gather(*conversations, return_exceptions=True)


def messages_in(maildir: Path) -> list[EmailMessage]:
    """What a sink received, parsed as a mail client does, the oldest first."""
    parser = BytesParser(_class=EmailMessage, policy=email.policy.default)
    # The name breaks ties: it begins with the second and goes on with a counter.
    files = sorted((maildir / "new").glob("*"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    return [parser.parsebytes(path.read_bytes()) for path in files]


def make_certificate(folder: Path) -> Certificate:
    """A new certificate and its key, in ``folder``; valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fraudops mail sink")])
    # The present: a certificate is good for a stretch of real time.
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(_HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    write_private(
        made.key,
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )
    return made
