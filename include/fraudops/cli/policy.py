"""``fraudops policy``: what another policy would have done."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.errors import ConfigurationError
from fraudops.portfolio import Policy, Portfolio
from fraudops.registry.policies import Outcome, Trial, try_policy
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="What another policy would have done.")


@app.callback()
def _group() -> None:
    """Keeps ``try`` a command of its own."""


@app.command("try")
def try_(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")] = "cards",
    alerts_per_day: Annotated[float | None, typer.Option(min=0.01, help="Alert budget.")] = None,
    review_cost: Annotated[float | None, typer.Option(min=0, help="Cost of a review, major units.")] = None,
    friction: Annotated[float | None, typer.Option(min=0, help="Cost of a blocked genuine payment.")] = None,
    recovered: Annotated[float | None, typer.Option(min=0.001, max=1, help="Share a review saves.")] = None,
    block_precision: Annotated[float | None, typer.Option(min=0, max=1, help="Of what is blocked.")] = None,
    thresholds: Annotated[str | None, typer.Option(help="'score' or 'value'.")] = None,
) -> None:
    """Compare another policy with today's, on the transactions that the champion was gated on. Changes nothing.

    What is not given stays as the portfolio states it.
    """
    settings = Settings.from_environment()
    one = chosen_portfolio(settings, portfolio)
    changed = {"alerts_per_day": alerts_per_day, "block_precision": block_precision, "thresholds": thresholds}
    costs = {"review": review_cost, "friction": friction, "recovered": recovered}
    trial = try_policy(Workspace.open(settings), one, _changed(one, changed, costs))
    out.print(_table(one, trial))
    out.print(
        f"{trial.n:,} transactions of {trial.days:.3g} days, partitions {trial.first} to {trial.last}; thresholds "
        f"were set on the slice before them, as in training. A policy comes into force with the next model that is "
        f"trained and promoted.",
        style="dim",
    )


def _changed(portfolio: Portfolio, given: dict[str, Any], costs: dict[str, float | None]) -> Policy:
    """The portfolio's policy with what was given."""
    policy = portfolio.policy.model_dump()
    policy |= {name: value for name, value in given.items() if value is not None}
    stated = {name: value for name, value in costs.items() if value is not None}
    if stated:
        policy["costs"] = {**(policy["costs"] or {}), **stated}
    if stated and not {"review", "friction"} <= set(policy["costs"]):
        raise ConfigurationError(
            "a cost model needs the cost of a review and that of a false block",
            where=f"{portfolio.name}.yaml policy.costs",
            remedy="give --review-cost and --friction",
        )
    if policy["thresholds"] not in ("score", "value") or (policy["thresholds"] == "value" and not policy["costs"]):
        raise ConfigurationError(
            f"thresholds cannot be set by {policy['thresholds']!r}",
            where="--thresholds",
            remedy="'score', or, with costs, 'value'",
        )
    return Policy.model_validate(policy)


def _table(portfolio: Portfolio, trial: Trial) -> Table:
    table = Table(title=f"{portfolio.name} {trial.version} ({trial.candidate})", title_justify="left")
    table.add_column(no_wrap=True)
    table.add_column("today", justify="right")
    table.add_column("tried", justify="right")
    for words, today, tried in zip(_WORDS, _cells(portfolio, trial.today), _cells(portfolio, trial.tried), strict=True):
        if today or tried:
            table.add_row(words, today, tried)
    return table


_WORDS = (
    "review from", "block from", "alerts a day", "frauds caught", "value caught", "blocked", "of them genuine",
    "cost", "savings",
)  # fmt: skip


def _cells(portfolio: Portfolio, found: Outcome) -> tuple[str, ...]:
    unit, thresholds = 10**portfolio.minor_digits, found.thresholds
    review = f"score {thresholds.review:.4f}"
    if thresholds.review_value is not None:
        review = f"expected loss {thresholds.review_value / unit:,.2f}"
    value = "" if found.value is None or found.caught_value is None else f"{_share(found.caught_value, found.value)}"
    savings = ""
    if found.money is not None and found.money.savings is not None:
        interval = found.money.savings_interval
        savings = f"{found.money.savings:.1%}" + (f" [{interval.low:.1%}, {interval.high:.1%}]" if interval else "")
    return (
        review,
        "nothing" if thresholds.block is None else f"score {thresholds.block:.4f}",
        f"{found.alerts_per_day:.1f}",
        f"{found.caught} of {found.frauds} ({_share(found.caught, found.frauds)})",
        value,
        f"{found.blocked:,}",
        f"{found.blocked_genuine:,}",
        "" if found.money is None else f"{found.money.cost / unit:,.0f}",
        savings,
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"
