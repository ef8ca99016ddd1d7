"""A mail server that is away: the notify workflow waits without an attempt, then everything goes out in order."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fraudops.database.models import Notice
from fraudops.notices import outbox
from fraudops.portfolio import Portfolio
from fraudops.stack.mailsink import Sink
from fraudops.stack.postbox import messages_in, running
from fraudops.workspace import Workspace
from sqlalchemy import update


@pytest.fixture
def connect(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Points ``smtp_default`` at a port, in an environment like a worker's."""
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(workspace.store.root))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", workspace.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", workspace.ledger_key.hex())

    def to(port: int) -> None:
        extra = {"disable_ssl": True, "disable_tls": True, "timeout": 5, "retry_limit": 0}
        connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))

    return to


def test_an_hour_without_mail_loses_nothing_and_keeps_the_order(
    workspace: Workspace, portfolios: dict[str, Portfolio], tmp_path: Path, connect: Callable[[int], None]
) -> None:
    from airflow.sdk.exceptions import AirflowException
    from fraudops_airflow.email import NoticeEmailOperator
    from fraudops_airflow.notify import build_notify

    cards = portfolios["cards"]
    find_waiting = build_notify(cards).get_task("find_waiting").python_callable  # type: ignore[attr-defined]
    with running(Sink("127.0.0.1", 0, tmp_path / "mail")) as port:
        connect(port)
    for number in range(3):
        with workspace.transaction() as session:
            outbox.queue(
                session,
                portfolio=cards,
                kind="digest",
                dedupe_key=f"digest/{number}",
                recipients=["a@bank.example"],
                subject=f"digest {number}",
                text="text",
                html="<p>html</p>",
                as_of=datetime(2026, 11, 11, tzinfo=UTC),
            )
        with pytest.raises(AirflowException, match=rf"Connection refused.*{number + 1} in the outbox wait"):
            find_waiting()
    with workspace.transaction() as session:
        session.execute(update(Notice).values(queued_at=datetime.now(UTC) - timedelta(hours=1)))
    for _ in range(2):
        with pytest.raises(AirflowException, match="3 notices wait too long for delivery, the oldest since"):
            find_waiting()

    with running(Sink("127.0.0.1", 0, tmp_path / "mail")) as port:
        connect(port)
        for number in find_waiting():
            NoticeEmailOperator(task_id="send", notice_id=number, portfolio="cards").execute({})
    subjects = [message["Subject"] for message in messages_in(tmp_path / "mail")]
    assert subjects == [
        "digest 0",
        "digest 1",
        "digest 2",
        "[fraudops] cards: 3 notices could not be delivered in time",
    ]
    assert outbox.waiting(workspace) == []
    assert {notice.attempts for notice in outbox.unsent(workspace)} == set()
