"""Cases: what models and rules found about one subject, investigated by people, closed with a finding."""

from fraudops.cases.attachments import attach, attachment
from fraudops.cases.closing import approve, close, decline, needs_two, reopen
from fraudops.cases.gathering import Gathered, gather, gather_waiting
from fraudops.cases.handing_over import hand_over
from fraudops.cases.personal import Personal, export, look
from fraudops.cases.queue import Wanted, find
from fraudops.cases.states import FINDINGS, STATES
from fraudops.cases.statistics import CaseStatistics, Outcome, statistics
from fraudops.cases.summaries import CaseSummary, summary
from fraudops.cases.view import CaseView, read
from fraudops.cases.work import assign, escalate, note, start

__all__ = [
    "FINDINGS",
    "STATES",
    "CaseStatistics",
    "CaseSummary",
    "CaseView",
    "Gathered",
    "Outcome",
    "Personal",
    "Wanted",
    "approve",
    "assign",
    "attach",
    "attachment",
    "close",
    "decline",
    "escalate",
    "export",
    "find",
    "gather",
    "gather_waiting",
    "hand_over",
    "look",
    "needs_two",
    "note",
    "read",
    "reopen",
    "start",
    "statistics",
    "summary",
]
