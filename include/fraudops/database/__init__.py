"""PostgreSQL: the tables whose rows change or must commit together. Schema changes go through Alembic."""

from fraudops.database.case_models import CaseAttachment, CaseEvent, CaseFile, CaseItem, Disposition, Escalation
from fraudops.database.filing_models import ClockWarning, Filing, FilingDraft, FilingEvent
from fraudops.database.migration import migrate
from fraudops.database.models import (
    Alert,
    Base,
    Delivery,
    LedgerEntry,
    LedgerHead,
    LegalHold,
    ModelVersion,
    Notice,
    NoticeAttachment,
    PromotionRecord,
    RuleHit,
    RuleSnooze,
    Shadow,
    Verdict,
)
from fraudops.database.online_models import (
    ApiKey,
    IdempotencyKey,
    OnlineDecision,
    OnlinePayment,
    OnlinePortfolio,
    OnlineReport,
    OnlineSeed,
)
from fraudops.database.session import open_engine, transaction

__all__ = [
    "Alert",
    "ApiKey",
    "Base",
    "CaseAttachment",
    "CaseEvent",
    "CaseFile",
    "CaseItem",
    "ClockWarning",
    "Delivery",
    "Disposition",
    "Escalation",
    "Filing",
    "FilingDraft",
    "FilingEvent",
    "IdempotencyKey",
    "LedgerEntry",
    "LedgerHead",
    "LegalHold",
    "ModelVersion",
    "Notice",
    "NoticeAttachment",
    "OnlineDecision",
    "OnlinePayment",
    "OnlinePortfolio",
    "OnlineReport",
    "OnlineSeed",
    "PromotionRecord",
    "RuleHit",
    "RuleSnooze",
    "Shadow",
    "Verdict",
    "migrate",
    "open_engine",
    "transaction",
]
