"""``fraudops mail`` shows what the sink received and what waits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fraudops.cli.mail import app
from fraudops.database.models import Notice
from fraudops.notices import Transmission, compose, outbox
from fraudops.portfolio import Portfolio
from fraudops.stack.mailsink import MaildirHandler
from fraudops.workspace import Workspace
from sqlalchemy import select
from typer.testing import CliRunner, Result


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    """Two e-mails."""
    folder = tmp_path / "mail"
    handler = MaildirHandler(folder)
    for number in (1, 2):
        message = compose(
            message_id=f"<{number}@bank.example>",
            date=datetime(2026, 11, 10, tzinfo=UTC),
            sender="fraudops@bank.example",
            recipients=["c@bank.example"],
            subject=f"[fraudops] Nummer {number} für [red]alle[/red]",
            text=f"Betrag {number},00 €\x1b[2J\n",
            html=f"<p>{number}</p>",
            portfolio="cards",
            kind="digest",
            notice_id=number,
        )
        handler._maildir.add(message.as_bytes())
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "140"})


def test_list_and_show(maildir: Path, tmp_path: Path) -> None:
    listed = run("list", "--maildir", str(maildir))
    assert listed.exit_code == 0
    assert "[fraudops] Nummer 1 für [red]alle[/red]" in listed.output
    assert "2 e-mails in" in listed.output
    assert "Nummer 1" not in run("list", "--maildir", str(maildir), "--last", "1").output
    newest = run("show", "--maildir", str(maildir))
    assert "Betrag 2,00 €" in newest.output
    assert "\x1b[2J" not in newest.output
    page = tmp_path / "page.html"
    first = run("show", "1", "--maildir", str(maildir), "--html", str(page))
    assert "Betrag 1,00 €" in first.output
    assert page.read_text().strip() == "<p>1</p>"
    file = sorted((maildir / "new").iterdir(), key=lambda path: path.stat().st_mtime_ns)[0]
    assert "Betrag 1,00 €" in run("show", str(file), "--maildir", str(maildir)).output


@pytest.mark.parametrize(("which", "said"), [("3", "goes from 1 to 2"), ("0", "goes from 1"), ("none", "no file")])
def test_what_is_not_there_is_named(maildir: Path, which: str, said: str) -> None:
    result = run("show", which, "--maildir", str(maildir))
    assert result.exit_code == 1
    assert said in result.output


def test_empty_maildir(tmp_path: Path) -> None:
    assert "No e-mail in" in run("list", "--maildir", str(tmp_path / "none")).output
    assert run("show", "--maildir", str(tmp_path / "none")).exit_code == 1


def test_outbox_and_release(
    workspace: Workspace, portfolios: dict[str, Portfolio], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", workspace.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", workspace.ledger_key.hex())
    assert "Every notice is sent" in run("outbox").output
    with workspace.transaction() as session:
        outbox.queue(
            session,
            portfolio=portfolios["cards"],
            kind="digest",
            dedupe_key="1",
            recipients=["a@bank.example"],
            subject="a subject",
            text="t",
            html="h",
            as_of=datetime(2026, 11, 10, tzinfo=UTC),
        )
        number = session.scalars(select(Notice.id)).one()
    claimed = outbox.claim(workspace, number)
    assert claimed is not None
    outbox.record(workspace, claimed, Transmission("rejected", detail="550 relay denied"))
    listed = run("outbox")
    assert "rejected" in listed.output
    assert "relay denied" in listed.output
    assert run("release", str(number)).exit_code == 0
    assert outbox.waiting(workspace) == [number]
    again = run("release", str(number))
    assert again.exit_code == 1
    assert "nothing to release" in again.output
