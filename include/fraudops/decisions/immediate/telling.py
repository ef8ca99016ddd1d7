"""Alerts that were raised at once, and of which a digest is to tell: no notice of their own has gone out."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fraudops.database import Alert, OnlineDecision
from fraudops.evaluation.costs import ALLOW
from fraudops.portfolio import Portfolio


def untold(session: Session, portfolio: Portfolio, key: str) -> list[Alert]:
    """Alerts of a partition that were raised at once, and that no notice has told of."""
    query = (
        select(Alert)
        .join(
            OnlineDecision,
            (OnlineDecision.portfolio == Alert.portfolio) & (OnlineDecision.transaction_id == Alert.transaction_id),
        )
        .where(*_silent(portfolio, key))
        .order_by(Alert.id)
    )
    return list(session.scalars(query))


def mark_told(session: Session, portfolio: Portfolio, key: str) -> None:
    """A digest tells of what :func:`untold` found in the same transaction."""
    session.execute(update(OnlineDecision).where(*_silent(portfolio, key)).values(told=True))


def _silent(portfolio: Portfolio, key: str) -> tuple[Any, ...]:
    return (
        OnlineDecision.portfolio == portfolio.name,
        OnlineDecision.partition_key == key,
        OnlineDecision.followed_up,
        ~OnlineDecision.told,
        OnlineDecision.decision != ALLOW,
    )


def raised_at_once(session: Session, portfolio: str, key: str) -> set[str]:
    """Transactions of a partition whose alerts were raised at once, and not by its scores."""
    same = (OnlineDecision.portfolio == Alert.portfolio) & (OnlineDecision.transaction_id == Alert.transaction_id)
    query = (
        select(Alert.transaction_id)
        .join(OnlineDecision, same)
        # The moment of its decision: an alert of the batch has the end of its partition.
        .where(Alert.portfolio == portfolio, Alert.partition_key == key, Alert.as_of == OnlineDecision.received_at)
    )
    return set(session.scalars(query))
