"""``fraudops roles``: who is who, and whether every portfolio has somebody who may decide."""

from __future__ import annotations

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.console import out
from fraudops.errors import ConfigurationError
from fraudops.portfolio import Portfolio, load_all
from fraudops.roles import Roles, read_roles
from fraudops.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Who is who, and who may decide on promotions.")


@app.command("list")
def list_users() -> None:
    """Every user of roles.yaml, with the roles and the portfolios on whose promotions the user may decide."""
    settings = Settings.from_environment()
    roles, portfolios = read_roles(settings.roles), load_all(settings.portfolios)
    if not roles.users:
        out.print(f"There is no user in {settings.roles} yet.")
        return
    table = Table("user", "roles", "decides on")
    for user, person in roles.users.items():
        decides = [name for name, portfolio in portfolios.items() if user in _approvers(roles, portfolio)]
        table.add_row(Text(user), Text(", ".join(person.roles)), Text(", ".join(decides) or "–"))
    out.print(table)


@app.command()
def check() -> None:
    """Say who may decide on each portfolio's promotions; exit code 1 where somewhere nobody may."""
    settings = Settings.from_environment()
    roles = read_roles(settings.roles)
    out.print(f"{settings.roles}: {len(roles.users)} users")
    failed = [not _is_right(roles, portfolio) for portfolio in load_all(settings.portfolios).values()]
    _tell_of_second_eyes(roles)
    if any(failed):
        raise typer.Exit(1)


def _tell_of_second_eyes(roles: Roles) -> None:
    """Who closes cases that take two, and what cannot be closed by anybody."""
    officers = roles.holders("compliance_officer")
    if not officers:
        out.print(Text("cases: nobody is compliance_officer: a case that takes two can be closed by nobody", "yellow"))
        return
    out.print(f"cases, the second pair of eyes: {', '.join(officers)}")
    if len(officers) == 1:
        out.print(Text(f"  {officers[0]} alone: what {officers[0]} proposes can be approved by nobody", "yellow"))


def _is_right(roles: Roles, portfolio: Portfolio) -> bool:
    if not portfolio.promotion.needs_approval:
        out.print(f"{portfolio.name}: needs no approval")
        return True
    try:
        names = [approver.name for approver in roles.approvers(portfolio)]
    except ConfigurationError as error:
        out.print(Text(f"{portfolio.name}: ", "default") + Text(str(error), "bold red"))
        return False
    out.print(f"{portfolio.name}: {', '.join(names)}")
    if len(names) == 1:
        out.print(Text(f"  {names[0]} alone: a training that {names[0]} asks for can be approved by nobody", "yellow"))
    return True


def _approvers(roles: Roles, portfolio: Portfolio) -> list[str]:
    try:
        return [approver.name for approver in roles.approvers(portfolio)]
    except ConfigurationError:
        return []
