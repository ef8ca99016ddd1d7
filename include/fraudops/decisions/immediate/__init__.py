"""Decisions that are made at once, on transactions as they happen, and recorded as the batch's are.

A decision is answered once it is committed: with what it rests on (the row, its features as they were seen, the model)
and with what the entities did. Alerts, notices and cases follow within seconds (:mod:`fraudops.cases.following`); the
transaction reaches its partition by the normal landing, whose scores keep what was decided here.
"""

from fraudops.decisions.immediate.desk import Desk
from fraudops.decisions.immediate.records import Arrival, Champion, Conflict, Decided, ReasonGiven

__all__ = ["Arrival", "Champion", "Conflict", "Decided", "Desk", "ReasonGiven"]
