"""Mail servers of the tests: the project's sink in a thread, and one that misbehaves as it is told to."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.policy
import ipaddress
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fraudops.stack.mailsink import Sink


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate of 127.0.0.1."""

    certificate: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    """Valid for an hour."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made


@contextmanager
def running(sink: Sink) -> Iterator[int]:
    """The sink in a thread of its own; gives its port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(sink.listen())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def messages_in(maildir: Path) -> list[EmailMessage]:
    """What a sink received, parsed as a mail client does, the oldest first."""
    parser = BytesParser(_class=EmailMessage, policy=email.policy.default)
    files = sorted((maildir / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
    return [parser.parsebytes(path.read_bytes()) for path in files]


@dataclass
class Script:
    """What a misbehaving server answers; an answer of None closes the connection without a word."""

    mail: bytes | None = b"250 ok"
    recipients: dict[str, bytes] = field(default_factory=dict)
    """Address → answer (default: 250)."""
    data: bytes | None = b"354 go on"
    receipt: bytes | None = b"250 taken"
    received: list[bytes] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)


@contextmanager
def scripted(script: Script) -> Iterator[int]:
    """A plain SMTP server that follows a script; gives its port."""

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say(b"220 test")
            accepted: list[str] = []
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"MAIL":
                    answer = script.mail
                elif verb == b"RCPT":
                    address = line.decode().split("<")[1].split(">")[0]
                    answer = script.recipients.get(address, b"250 ok")
                    if answer.startswith(b"250"):
                        accepted.append(address)
                elif verb == b"DATA":
                    if not self.data(accepted):
                        return
                    continue
                elif verb == b"QUIT":
                    self.say(b"221 bye")
                    return
                else:
                    answer = b"250 ok"
                if answer is None:
                    return
                self.say(answer)

        def data(self, accepted: list[str]) -> bool:
            """Receive a message; False ends the conversation."""
            if script.data is None:
                return False
            self.say(script.data)
            if not script.data.startswith(b"354"):
                return True
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            script.received.append(b"".join(lines))
            script.envelopes.append(accepted)
            if script.receipt is None:
                return False
            self.say(script.receipt)
            return True

        def say(self, answer: bytes) -> None:
            self.wfile.write(answer + b"\r\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up is part of the tests."""

    with Server(("127.0.0.1", 0), Conversation) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(5)
