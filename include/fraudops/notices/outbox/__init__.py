"""The outbox: notices from the moment they are queued until a mail server has them.

::

    waiting ──claim──> sending ──sent──────> sent
       ^                 │ ├──rejected─────> rejected ──release──> waiting
       ├──── refused ────┘ └──uncertain────> waiting (resend) or uncertain (hold) ──release──> waiting

``queueing`` puts notices in, ``sending`` takes them out, ``asking`` tells what is there.
"""

from fraudops.notices.outbox.asking import Counts, Unsent, counts, find, state, unsent
from fraudops.notices.outbox.queueing import SUBJECT_LENGTH, one_line, queue
from fraudops.notices.outbox.sending import (
    Claim,
    Uncertain,
    claim,
    record,
    refused,
    rejected,
    release,
    sent,
    uncertain,
    waiting,
)
from fraudops.notices.outbox.urgent import urgent

__all__ = [
    "SUBJECT_LENGTH",
    "Claim",
    "Counts",
    "Uncertain",
    "Unsent",
    "claim",
    "counts",
    "find",
    "one_line",
    "queue",
    "record",
    "refused",
    "rejected",
    "release",
    "sent",
    "state",
    "uncertain",
    "unsent",
    "urgent",
    "waiting",
]
