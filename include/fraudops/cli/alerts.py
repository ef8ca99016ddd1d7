"""``fraudops alerts``: the alerts that were raised, and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC
from decimal import Decimal
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from fraudops.cli.console import out, printable
from fraudops.database import transaction
from fraudops.database.models import Alert
from fraudops.errors import ContractError
from fraudops.settings import Settings

app = typer.Typer(no_args_is_help=True, help="List alerts and why they were raised.")

_METHODS = {
    "tree_shap": "TreeSHAP",
    "linear": "linear model",
    "blend": "weighted over the blend",
    "exchange": "by exchange",
}
_STYLES = {"block": "bold red", "review": "yellow"}


@app.command("list")
def list_alerts(
    portfolio: Annotated[str | None, typer.Option(help="Only this portfolio.")] = None,
    key: Annotated[str | None, typer.Option(help="Only this partition, such as 2026-03-05.")] = None,
    decision: Annotated[str | None, typer.Option(help="Only 'review' or only 'block'.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON list.")] = False,
) -> None:
    """List alerts, the newest transaction first."""
    if decision not in (None, *_STYLES):
        raise ContractError(f"there is no decision {decision!r}", where="--decision", remedy="'review' or 'block'")
    wanted = ((Alert.portfolio, portfolio), (Alert.partition_key, key), (Alert.decision, decision))
    conditions = [column == value for column, value in wanted if value is not None]
    with transaction(Settings.from_environment().require_database_url()) as session:
        total = session.scalar(select(func.count()).select_from(Alert).where(*conditions)) or 0
        newest = select(Alert).where(*conditions).order_by(Alert.event_time.desc(), Alert.id.desc()).limit(limit)
        alerts = list(session.scalars(newest.options(joinedload(Alert.model))))
    if as_json:
        _write_json([_as_dict(alert) for alert in alerts])
        return
    if not alerts:
        out.print("No alerts.")
        return
    for line in _lines(alerts):
        out.print(line)
    if total > len(alerts):
        out.print(Text(f"{total - len(alerts):,} more; see --limit, --portfolio, --key", style="dim"))


@app.command("show")
def show_alert(
    alert: Annotated[str, typer.Argument(help="The alert's number, or the transaction's id.")],
    portfolio: Annotated[str | None, typer.Option(help="Where the id occurs in several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON object.")] = False,
) -> None:
    """Show one alert: amount, time, score, model and reasons."""
    with transaction(Settings.from_environment().require_database_url()) as session:
        found = find_alert(session, alert, portfolio)
    if as_json:
        _write_json(_as_dict(found))
        return
    facts = Table.grid(padding=(0, 2))
    for name, value in (
        ("alert", f"no. {found.id} of portfolio {found.portfolio}"),
        ("transaction", printable(found.transaction_id)),
        ("time", _time(found)),
        ("amount", _amount(found)),
        ("decision", Text(found.decision, style=_STYLES.get(found.decision, ""))),
        ("score", f"{found.score:.3f}, by model {found.model.version} on partition {found.partition_key}"),
    ):
        if value:
            facts.add_row(Text(name, style="dim"), value if isinstance(value, Text) else Text(value))
    out.print(facts)
    for line in _reasons(found):
        out.print(line)


def find_alert(session: Session, name: str, portfolio: str | None) -> Alert:
    """The alert of a number or of a transaction.

    Raises
    ------
    ContractError
        There is none, or several portfolios have one.
    """
    # A number may name an alert or, in files with numbered rows, a transaction: the transaction's id wins.
    query = select(Alert).options(joinedload(Alert.model)).order_by(Alert.portfolio)
    if portfolio is not None:
        query = query.where(Alert.portfolio == portfolio)
    found = list(session.scalars(query.where(Alert.transaction_id == name)))
    if not found and name.isascii() and name.isdigit() and len(name) < 19:
        found = list(session.scalars(query.where(Alert.id == int(name))))
    if not found:
        raise ContractError(f"there is no alert {name!r}", remedy="see 'fraudops alerts list'")
    if len(found) > 1:
        raise ContractError(
            f"transaction {name!r} has alerts in {', '.join(alert.portfolio for alert in found)}",
            remedy="say which with --portfolio",
        )
    return found[0]


def _lines(alerts: list[Alert]) -> Iterator[Text]:
    """Two lines an alert: the facts in columns, and the first reason. Not a table, which would cut ids short."""
    number = max(len(str(alert.id)) for alert in alerts)
    name = max(len(alert.portfolio) for alert in alerts)
    widest = max(len(_amount(alert)) for alert in alerts)
    amount = widest + 2 if widest else 0
    for alert in alerts:
        yield Text.assemble(
            f"{alert.id:>{number}}  {alert.portfolio:<{name}}  {_time(alert)}  ",
            (f"{alert.decision:<6}", _STYLES.get(alert.decision, "")),
            f"  {alert.score:.3f}{_amount(alert):>{amount}}  {printable(alert.transaction_id)}",
        )
        if alert.reasons:
            yield Text(f"{'':>{number}}  {printable(alert.reasons[0])}", style="dim")


def _reasons(alert: Alert) -> Iterator[Text]:
    """Each reason, with what it added to the score; without that where it is none of the score, or older than that."""
    reasons = alert.explanation["reasons"] if alert.explanation else []
    weighed = {reason["text"] for reason in reasons}
    yield from (Text(f"  • {printable(reason)}") for reason in alert.reasons if reason not in weighed)
    if alert.explanation is None:
        return
    for reason in reasons:
        yield Text.assemble("  • ", (f"{reason['contribution']:+.2f}  ", "dim"), printable(reason["text"]))
    told = sum(reason["contribution"] for reason in reasons)
    yield Text(
        f"  log-odds before calibration: {alert.explanation['base']:.2f} to begin with, {told:+.2f} by these reasons, "
        f"{alert.explanation['rest'] + alert.explanation['remainder']:+.2f} by all else, "
        f"{alert.explanation['margin']:.2f} in all ({_METHODS.get(alert.explanation['method'], 'unknown method')})",
        style="dim",
    )


def _as_dict(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "portfolio": alert.portfolio,
        "partition": alert.partition_key,
        "transaction_id": alert.transaction_id,
        "event_time": alert.event_time.astimezone(UTC).isoformat(),
        "amount": None if (amount := _decimal(alert)) is None else str(amount),
        "currency": alert.currency or None,
        "decision": alert.decision,
        "route": alert.route,
        "score": alert.score,
        "model_version": alert.model.version,
        "reasons": alert.reasons,
        "explanation": alert.explanation,
    }


def _time(alert: Alert) -> str:
    return f"{alert.event_time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _decimal(alert: Alert) -> Decimal | None:
    return None if alert.amount_minor is None else Decimal(alert.amount_minor).scaleb(-alert.minor_digits)


def _amount(alert: Alert) -> str:
    """Empty where transactions have none."""
    amount = _decimal(alert)
    if amount is None:
        return ""
    return f"{amount:,.{alert.minor_digits}f} {printable(alert.currency)}".rstrip()


def _write_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=True, indent=2))
