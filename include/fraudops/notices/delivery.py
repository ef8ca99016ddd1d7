"""Sending one notice of the outbox over a connection that is open: claim, hand over, record."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

from fraudops.errors import IntegrityError
from fraudops.notices import outbox
from fraudops.notices.attachments import read_attachments
from fraudops.notices.outbox import Claim, Uncertain
from fraudops.notices.transmission import Transmission, compose, transmit
from fraudops.workspace import Workspace


def deliver(
    ws: Workspace,
    client: smtplib.SMTP,
    notice_id: int,
    *,
    on_uncertain: Uncertain = "resend",
    holder: str | None = None,
) -> str:
    """Send a notice and record how that ended; returns the notice's state afterwards.

    Parameters
    ----------
    client
        Connected, its TLS and login done.
    on_uncertain
        The portfolio's ``notices.uncertain``.
    holder
        Who sends, see :func:`fraudops.notices.outbox.claim`.

    Raises
    ------
    ContractError
        There is no such notice.
    """
    claimed = outbox.claim(ws, notice_id, on_uncertain=on_uncertain, holder=holder)
    if claimed is None:
        return outbox.state(ws, notice_id)
    message = prepared(ws, claimed)
    if isinstance(message, Transmission):
        return outbox.record(ws, claimed, message)
    result = transmit(client, message, sender=claimed.sender, recipients=claimed.remaining)
    return outbox.record(ws, claimed, result)


def prepared(ws: Workspace, claimed: Claim) -> EmailMessage | Transmission:
    """The e-mail; where a file is no longer what was queued, how the attempt ends: nothing is sent, a person looks."""
    try:
        return message_of(ws, claimed)
    except IntegrityError as error:
        return Transmission("rejected", detail=str(error))


def message_of(ws: Workspace, claimed: Claim) -> EmailMessage:
    """The e-mail of a claimed notice: the same bytes in every attempt.

    Raises
    ------
    IntegrityError
        An attachment is gone, or not the one that was queued.
    """
    return compose(
        message_id=claimed.message_id,
        date=claimed.queued_at,
        sender=claimed.sender,
        recipients=claimed.recipients,
        subject=claimed.subject,
        text=claimed.text,
        html=claimed.html,
        portfolio=claimed.portfolio,
        kind=claimed.kind,
        notice_id=claimed.notice_id,
        attachments=read_attachments(ws.store, claimed.attachments),
    )
