"""A mail server that misbehaves as it is told to; the ones that behave are ``fraudops.stack.postbox``."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Script:
    """What a misbehaving server answers; an answer of None closes the connection without a word."""

    mail: bytes | None = b"250 ok"
    recipients: dict[str, bytes] = field(default_factory=dict)
    """Address → answer (default: 250)."""
    data: bytes | None = b"354 go on"
    receipt: bytes | None = b"250 taken"
    greeting: bytes = b"220 test"
    silence: float = 0.0
    """Seconds before the receipt."""
    received: list[bytes] = field(default_factory=list)
    envelopes: list[list[str]] = field(default_factory=list)


@contextmanager
def scripted(script: Script) -> Iterator[int]:
    """A plain SMTP server that follows a script; gives its port."""

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say(script.greeting)
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
            time.sleep(script.silence)
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
