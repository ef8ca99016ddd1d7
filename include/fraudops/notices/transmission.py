"""Handing one message to a mail server, so that it is known afterwards who has it.

``smtplib.sendmail`` reports a lost connection in the same way whether the server had taken the message over or
not. Here the conversation is led step by step: until the line with the single dot has been sent the server must
not deliver anything, after its answer we know; only in between is the outcome uncertain.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

from fraudops.notices.attachments import AttachedFile

Outcome = Literal["sent", "refused", "rejected", "uncertain"]

# 7bit: what every server on the way can carry, so that nothing is converted (or lost) between here and there.
_POLICY = SMTP.clone(cte_type="7bit")
# "Log in first": permanent by their number, but a matter of the connection's settings, not of the notice.
_LOGIN_NEEDED = frozenset({530, 534, 535, 538})


@dataclass(frozen=True)
class Transmission:
    """How one attempt ended.

    Attributes
    ----------
    outcome
        ``sent``: the server took the message over for ``accepted``. ``refused``: nothing was delivered, another
        attempt may succeed. ``rejected``: nothing was delivered, and trying again cannot help. ``uncertain``:
        nobody knows.
    accepted
        Recipients for whom the server took it over.
    refused
        Recipients refused for good → the server's reply.
    deferred
        Recipients whom the server asked to try later → its reply.
    code
        The deciding reply's number, where there was one. Safe to log; ``detail`` may quote an address.
    """

    outcome: Outcome
    accepted: tuple[str, ...] = ()
    refused: dict[str, str] = field(default_factory=dict, repr=False)
    deferred: dict[str, str] = field(default_factory=dict, repr=False)
    detail: str = field(default="", repr=False)
    code: int | None = None


def compose(
    *,
    message_id: str,
    date: datetime,
    sender: str,
    recipients: Sequence[str],
    subject: str,
    text: str,
    html: str,
    portfolio: str,
    kind: str,
    notice_id: int,
    attachments: Sequence[AttachedFile] = (),
) -> EmailMessage:
    """A ``multipart/alternative`` message, files beside it; the same arguments give the same bytes in every attempt."""
    message = EmailMessage(policy=_POLICY)
    message["Message-ID"] = message_id
    message["Date"] = date.astimezone(UTC)
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = subject
    # No out-of-office replies to a machine.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["X-Fraudops-Portfolio"] = portfolio
    message["X-Fraudops-Kind"] = kind
    message["X-Fraudops-Notice"] = str(notice_id)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    # Otherwise random, and two attempts at one notice would differ.
    boundary = f"=_{message_id.strip('<>').partition('@')[0]}"
    message.set_boundary(boundary)
    if attachments:
        _attach(message, attachments, boundary)
    return message


def _attach(message: EmailMessage, attachments: Sequence[AttachedFile], boundary: str) -> None:
    """Put files beside the text; they arrive byte for byte, whatever servers on the way do to line ends."""
    for file in attachments:
        kind, _, subkind = file.media_type.partition("/")
        message.add_attachment(file.content, maintype=kind, subtype=subkind, filename=file.name, cte="base64")
    message.set_boundary(f"{boundary}=files")


def transmit(client: smtplib.SMTP, message: EmailMessage, *, sender: str, recipients: Sequence[str]) -> Transmission:
    """Hand a message over to a connected (and logged in) mail server; never raises for what the server does."""
    body = _dot_stuffed(message.as_bytes())
    try:
        envelope = _open_envelope(client, sender, recipients, len(body))
        if isinstance(envelope, Transmission):
            return envelope
        code, reply = client.docmd("DATA")
        if code != 354:
            return _negative(code, reply)
        client.send(body)
    except (smtplib.SMTPException, OSError) as error:
        return Transmission("refused", detail=f"connection lost before the end of the message: {_name(error)}")
    try:
        client.send(b".\r\n")
        code, reply = client.getreply()
    except (smtplib.SMTPException, OSError) as error:
        return Transmission("uncertain", detail=f"connection lost while waiting for the receipt: {_name(error)}")
    if 200 <= code < 300:
        return Transmission(
            "sent", envelope.accepted, envelope.refused, envelope.deferred, _line(code, reply), code=code
        )
    if 400 <= code < 600:
        return _negative(code, reply)
    return Transmission("uncertain", detail=f"not an SMTP reply: {_line(code, reply)}")


@dataclass(frozen=True)
class _Envelope:
    accepted: tuple[str, ...]
    refused: dict[str, str]
    deferred: dict[str, str]


def _open_envelope(client: smtplib.SMTP, sender: str, recipients: Sequence[str], size: int) -> _Envelope | Transmission:
    """MAIL and RCPT; a :class:`Transmission` where the server wants none of it."""
    client.ehlo_or_helo_if_needed()
    code, reply = client.mail(sender, [f"size={size}"] if client.has_extn("size") else [])
    if code != 250:
        return _negative(code, reply)
    accepted: list[str] = []
    refused: dict[str, str] = {}
    deferred: dict[str, str] = {}
    for recipient in recipients:
        code, reply = client.rcpt(recipient)
        if code in (250, 251, 252):
            accepted.append(recipient)
        elif _is_permanent(code):
            refused[recipient] = _line(code, reply)
        else:
            deferred[recipient] = _line(code, reply)
            if code == 421:
                return Transmission("refused", detail=_line(code, reply), code=code)
    if accepted:
        return _Envelope(tuple(accepted), refused, deferred)
    if deferred:
        return Transmission(
            "refused", refused=refused, deferred=deferred, detail="no recipient accepted yet", code=code
        )
    return Transmission("rejected", refused=refused, detail="every recipient was refused", code=code)


def _negative(code: int, reply: bytes) -> Transmission:
    return Transmission("rejected" if _is_permanent(code) else "refused", detail=_line(code, reply), code=code)


def _is_permanent(code: int) -> bool:
    return 500 <= code < 600 and code not in _LOGIN_NEEDED


def _line(code: int, reply: bytes) -> str:
    """A reply on one line of reasonable length."""
    return f"{code} {' '.join(reply.decode('utf-8', 'replace').split())}"[:500]


def _name(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _dot_stuffed(content: bytes) -> bytes:
    """CRLF line ends, a leading dot doubled (RFC 5321, 4.5.2), and a line end at the end."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    lines = lines if lines.endswith(b"\r\n") else lines + b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines)
