"""``fraudops mail``: what the mail sink received, and what still waits in the outbox."""

from __future__ import annotations

import email.policy
import getpass
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fraudops.errors import FraudopsError
from fraudops.settings import Settings
from fraudops.stack.folder import StackFolder

app = typer.Typer(help="E-mails that the local mail sink received, and the outbox.", no_args_is_help=True)

MaildirOption = Annotated[
    Path | None,
    typer.Option("--maildir", help="Folder of the e-mails.", show_default="that of the local stack"),
]


@dataclass(frozen=True)
class Received:
    """One e-mail in the maildir; numbered from 1 in the order of arrival."""

    number: int
    path: Path
    arrived: datetime
    message: EmailMessage


def received(maildir: Path) -> list[Received]:
    """All e-mails of a maildir, the oldest first; none where the folder does not exist."""
    files = [path for name in ("new", "cur") for path in (maildir / name).glob("*") if path.is_file()]
    # The name breaks ties: it begins with the second and goes on with a counter.
    ordered = sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name))
    return [_read(path, number) for number, path in enumerate(ordered, start=1)]


def text_of(message: EmailMessage) -> str:
    """The text part as a terminal may show it: control characters, which could move its cursor, left out."""
    part = message.get_body(preferencelist=("plain", "html"))
    content = part.get_content() if part is not None else "(no text)"
    return "".join(char for char in content if char in "\n\t" or unicodedata.category(char) != "Cc")


@app.command("list")
def list_mails(
    maildir: MaildirOption = None,
    last: Annotated[int, typer.Option("--last", min=1, help="Show this many, the newest at the end.")] = 25,
) -> None:
    """List received e-mails: number, time of arrival, recipients, subject."""
    console = Console()
    folder = maildir or _default_maildir()
    mails = received(folder)
    if not mails:
        console.print(Text(f"No e-mail in {folder} yet."))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("no.", justify="right", style="cyan")
    table.add_column("arrived (UTC)", no_wrap=True)
    table.add_column("to", overflow="fold")
    table.add_column("subject", overflow="fold")
    for mail in mails[-last:]:
        table.add_row(
            str(mail.number),
            f"{mail.arrived:%Y-%m-%d %H:%M:%S}",
            _header(mail.message, "To"),
            _header(mail.message, "Subject"),
        )
    console.print(table)
    hidden = len(mails) - min(last, len(mails))
    earlier = f", {hidden} earlier ones not shown (--last)" if hidden else ""
    console.print(Text(f"{len(mails)} e-mails in {folder}{earlier}", style="dim"))


@app.command("show")
def show_mail(
    which: Annotated[str, typer.Argument(help="Number from the list, or a file.", show_default="the newest")] = "",
    maildir: MaildirOption = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the HTML part to this file, for a browser.")
    ] = None,
) -> None:
    """Show one e-mail: its headers and its text."""
    console = Console()
    mail = _find(which, maildir or _default_maildir())
    heads = Text()
    for name in ("From", "To", "Date", "Subject", "Message-ID"):
        heads.append(f"{name:<11}", style="dim")
        heads.append_text(_header(mail.message, name)).append("\n")
    body = Text(text_of(mail.message).rstrip())
    console.print(Panel(Group(heads, body), title=f"e-mail {mail.number}", title_align="left"))
    console.print(Text(f"{mail.path}", style="dim"))
    if html is not None:
        part = mail.message.get_body(preferencelist=("html",))
        if part is None:
            raise _stop("this e-mail has no HTML part")
        html.write_text(part.get_content(), encoding="utf-8")
        console.print(Text(f"HTML part written to {html}", style="dim"))


@app.command("outbox")
def list_outbox() -> None:
    """List the notices that are not sent: waiting, uncertain, rejected."""
    from fraudops.notices.outbox import unsent
    from fraudops.workspace import Workspace

    console = Console()
    try:
        notices = unsent(Workspace.open())
    except FraudopsError as error:
        raise _stop(str(error)) from None
    if not notices:
        console.print("Every notice is sent.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("notice", "portfolio", "state", "attempts", "queued (UTC)", "subject", "last attempt"):
        table.add_column(name, overflow="fold")
    for notice in notices:
        table.add_row(
            str(notice.notice_id),
            notice.portfolio,
            Text(notice.state, style="red" if notice.state in ("rejected", "uncertain") else ""),
            str(notice.attempts),
            f"{notice.queued_at:%Y-%m-%d %H:%M}",
            Text(notice.subject),
            Text(notice.last_attempt),
        )
    console.print(table)


@app.command("release")
def release_notice(
    notice: Annotated[int, typer.Argument(help="Number of the notice, see 'fraudops mail outbox'.")],
) -> None:
    """Send a held or rejected notice (again), once somebody has found out that it is needed."""
    from fraudops.notices.outbox import release
    from fraudops.workspace import Workspace

    try:
        release(Workspace.open(), notice, actor=getpass.getuser())
    except FraudopsError as error:
        raise _stop(str(error)) from None
    Console().print(f"Notice {notice} waits again; the notify workflow sends it.")


def _default_maildir() -> Path:
    return StackFolder.of(Settings.from_environment()).maildir


def _read(path: Path, number: int) -> Received:
    with path.open("rb") as file:
        message = BytesParser(_class=EmailMessage, policy=email.policy.default).parse(file)
    return Received(number, path, datetime.fromtimestamp(path.stat().st_mtime, UTC), message)


def _find(which: str, maildir: Path) -> Received:
    mails = received(maildir)
    if which and not which.isdigit():
        path = Path(which)
        if not path.is_file():
            raise _stop(f"there is no file {which!r}; 'fraudops mail list' shows the numbers")
        return next((mail for mail in mails if mail.path.samefile(path)), None) or _read(path, 0)
    if not mails:
        raise _stop(f"no e-mail in {maildir} yet")
    number = int(which) if which else len(mails)
    if not 1 <= number <= len(mails):
        raise _stop(f"there is no e-mail {number}; the list goes from 1 to {len(mails)}")
    return mails[number - 1]


def _header(message: EmailMessage, name: str) -> Text:
    """A header without control characters; as Text, so that brackets are not taken for markup."""
    value = str(message.get(name, ""))
    return Text("".join(char for char in value if unicodedata.category(char) != "Cc"))


def _stop(message: str) -> typer.Exit:
    """Say what is wrong and end with status 1."""
    Console(stderr=True).print(Text(message, style="red"))
    return typer.Exit(1)
