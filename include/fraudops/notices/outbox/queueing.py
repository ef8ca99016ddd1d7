"""Putting notices into the outbox: checked, bounded, each once."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fraudops.database.models import Notice, NoticeAttachment
from fraudops.errors import ConfigurationError
from fraudops.notices.attachments import Attachment
from fraudops.portfolio import Portfolio
from fraudops.portfolio.addresses import is_address
from fraudops.store.digests import sha256_of

SUBJECT_LENGTH = 160


def queue(
    session: Session,
    *,
    portfolio: Portfolio,
    kind: str,
    dedupe_key: str,
    recipients: Iterable[str],
    subject: str,
    text: str,
    html: str,
    as_of: datetime,
    attachments: Sequence[Attachment] = (),
) -> bool:
    """Put a notice into the outbox, in the caller's transaction.

    Parameters
    ----------
    dedupe_key
        Names what the notice tells about; unique within the portfolio. A second notice with the same key is
        not queued, so a step that runs again writes to nobody twice.
    subject
        Put on one line and shortened to 160 characters.
    attachments
        Files in the store; they are read when the notice is sent.

    Returns
    -------
    bool
        False where the notice was there already.

    Raises
    ------
    ConfigurationError
        No recipient, or an address that is none.
    """
    key = stored_key(portfolio.name, dedupe_key)
    sender = _address(portfolio.notices.sender, where=f"{portfolio.name}.yaml: notices.sender")
    statement = (
        insert(Notice)
        .values(
            portfolio=portfolio.name,
            kind=kind,
            dedupe_key=key,
            message_id=_message_id(portfolio.name, key, sender),
            recipients=_recipients(portfolio, recipients),
            sender=sender,
            subject=one_line(subject, SUBJECT_LENGTH),
            text=_storable(text),
            html=_storable(html),
            state="waiting",
            attempts=0,
            as_of=as_of,
            queued_at=datetime.now(UTC),
        )
        .on_conflict_do_nothing(index_elements=[Notice.dedupe_key])
        .returning(Notice.id)
    )
    # Two at the very same moment would meet in the index of Message-IDs first, which is an error there.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
    number = session.execute(statement).scalar_one_or_none()
    if number is None:
        return False
    session.add_all(
        NoticeAttachment(notice_id=number, place=place, **vars(attachment))
        for place, attachment in enumerate(attachments)
    )
    return True


def one_line(text: str, length: int | None = None) -> str:
    """Text on one line: line breaks, control and direction characters become spaces.

    Examples
    --------
    >>> one_line("T1\\r\\nBcc: x@evil.example")
    'T1 Bcc: x@evil.example'
    >>> one_line("a long subject", 8)
    'a long…'
    """
    visible = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    line = " ".join(visible.split())
    return line if length is None or len(line) <= length else line[: length - 1].rstrip() + "…"


# -- inside -----------------------------------------------------------------------------------------------------


def _recipients(portfolio: Portfolio, addresses: Iterable[str]) -> list[str]:
    """Checked, each once, in the given order."""
    where = f"{portfolio.name}.yaml: notices"
    found: dict[str, str] = {}
    for address in addresses:
        checked = _address(address, where=where)
        found.setdefault(checked.casefold(), checked)
    if not found:
        raise ConfigurationError(
            "the notice has no recipient", where=where, remedy="name one, such as compliance@bank.example"
        )
    return list(found.values())


def _address(address: str, *, where: str) -> str:
    if not is_address(address.strip()):
        raise ConfigurationError(
            f"{one_line(address, 80)!r} is not an e-mail address",
            where=where,
            remedy="write it as name@domain, without a display name, in ASCII",
        )
    return address.strip()


def _message_id(portfolio: str, key: str, sender: str) -> str:
    """Follows from what the notice tells about, so that it is the same in every attempt."""
    domain = sender.rpartition("@")[2]
    # A longer one would be folded in the header, which some mail clients do not unfold.
    if "." not in domain or len(domain) > 36:
        domain = "fraudops.invalid"
    digest = sha256_of(f"{portfolio}\n{key}".encode("utf-8", "replace"))
    return f"<{digest[:32]}@{domain}>"


def stored_key(portfolio: str, name: str) -> str:
    """A portfolio's dedupe key as the table has it."""
    return _bounded(_storable(f"{portfolio}/{name}"))


def _bounded(key: str) -> str:
    """The key, its end replaced by a digest where the column could not hold it."""
    return key if len(key) <= 400 else f"{key[:330]}…{sha256_of(key.encode())}"


def _storable(text: str) -> str:
    """Without what PostgreSQL or UTF-8 cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
