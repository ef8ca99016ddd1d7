"""Sending one notice of the outbox over a connection that is open: claim, hand over, record."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

from fraudops.notices import outbox
from fraudops.notices.outbox import Claim, Uncertain
from fraudops.notices.transmission import compose, transmit
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
    result = transmit(client, message_of(claimed), sender=claimed.sender, recipients=claimed.remaining)
    return outbox.record(ws, claimed, result)


def message_of(claimed: Claim) -> EmailMessage:
    """The e-mail of a claimed notice: the same bytes in every attempt."""
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
    )
