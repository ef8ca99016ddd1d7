"""Notices: the e-mails that must be received, and the outbox in which they wait until they are.

A notice is queued in the database transaction of what it tells about, so that neither exists without the other.
Sending is a step of its own (the ``notify`` workflow), at least once: every attempt bears the same Message-ID.
"""

from fraudops.notices.outbox import Claim, Counts, claim, counts, queue, waiting
from fraudops.notices.transmission import Transmission, compose, transmit

__all__ = ["Claim", "Counts", "Transmission", "claim", "compose", "counts", "queue", "transmit", "waiting"]
