"""Files that a notice brings: they lie in the store, and the outbox knows where and by which digest.

What is sent is what was queued: a file that is no longer the one of its digest is not sent, and neither is the notice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fraudops.errors import ConfigurationError, IntegrityError
from fraudops.store import Store
from fraudops.store.digests import sha256_of

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Attachment:
    """A file in the store.

    Attributes
    ----------
    name
        What it is called in the mail.
    media_type
        Such as ``application/pdf``.
    path
        Below the store's root.
    size
        Bytes.
    """

    name: str
    media_type: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class AttachedFile:
    """An attachment with its content, which is kept out of ``repr``."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


def fitting(attachments: Iterable[Attachment], megabytes: float) -> list[Attachment]:
    """The attachments, in their order, that together are no larger than a mail may be.

    A mail grows by a third on its way (base64); the limit is about the files.
    """
    found: list[Attachment] = []
    left = megabytes * MEGABYTE
    for attachment in attachments:
        if attachment.size <= left:
            found.append(attachment)
            left -= attachment.size
    return found


def read_attachments(store: Store, attachments: Iterable[Attachment]) -> tuple[AttachedFile, ...]:
    """The files, as they were when the notice was queued.

    Raises
    ------
    IntegrityError
        One is gone, or not the one that was queued.
    """
    return tuple(_read(store, attachment) for attachment in attachments)


def _read(store: Store, attachment: Attachment) -> AttachedFile:
    if ".." in attachment.path or attachment.path.startswith("/"):
        raise ConfigurationError("the attachment does not lie in the store", where=attachment.name)
    try:
        content = (store.root / attachment.path).read_bytes()
    except FileNotFoundError:
        content = None
    if content is None or sha256_of(content) != attachment.sha256:
        raise IntegrityError(
            "the attachment is gone" if content is None else "the attachment is not the one that was queued",
            where=attachment.path,
            remedy="restore it from the backup, then 'fraudops mail release' the notice",
        )
    return AttachedFile(attachment.name, attachment.media_type, content)
