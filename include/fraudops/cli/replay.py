"""``fraudops replay``: past decisions, computed again from what was stored then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out, printable
from fraudops.decisions.immediate.replaying import replay_at_once
from fraudops.decisions.recorded import DecisionId, find_decision, sample
from fraudops.decisions.replay import DIFFERS, EQUAL, GONE, Part, Replayed
from fraudops.decisions.replay import replay as replay_partition
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio, load_all
from fraudops.settings import Settings
from fraudops.workspace import Workspace

_STYLES = {EQUAL: "bold green", DIFFERS: "bold red", GONE: "bold yellow"}
_EXIT_CODES = {EQUAL: 0, DIFFERS: 1, GONE: 3}


def replay(
    decision: Annotated[
        list[str] | None,
        typer.Option("--decision", "-d", help="Such as cards/2026-03-05/TX-1, or a transaction's id; several times."),
    ] = None,
    random: Annotated[int, typer.Option("--random", "-n", min=0, help="So many decisions at random.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the random choice; the same seed gives the same decisions.")] = 0,
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Only this portfolio.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON list.")] = False,
) -> None:
    """Compute past decisions again and compare them with the record, to the last bit.

    Ends with exit code 0 where all are equal, 1 where one differs, 3 where an input is gone.
    """
    settings = Settings.from_environment()
    known = load_all(settings.portfolios)
    chosen = {portfolio: chosen_portfolio(settings, portfolio)} if portfolio else known
    if not decision and not random:
        raise ContractError("nothing is to be replayed", remedy="give --decision ID, or --random 20 --portfolio cards")
    ws = Workspace.open(settings)
    wanted = [find_decision(ws, chosen, text) for text in decision or ()]
    if random:
        wanted += sample(ws, chosen_portfolio(settings, portfolio or "cards"), random, seed)
    found = [
        one
        for (name, key), some in groupby(sorted(set(wanted)), key=lambda one: (one.portfolio, one.key))
        for one in _replayed(ws, known[name], key, list(some), superseded=not random)
    ]
    if as_json:
        typer.echo(json.dumps([one.to_dict() for one in found], ensure_ascii=True, indent=2))
    elif random:
        out.print(_table(found))
    else:
        for one in found:
            for line in _lines(one):
                out.print(line)
    if random and not as_json:
        counts = {state: sum(one.state == state for one in found) for state in (EQUAL, DIFFERS, GONE)}
        out.print(f"{len(found):,} decisions: " + ", ".join(f"{number:,} {state}" for state, number in counts.items()))
    states = {one.state for one in found}
    raise typer.Exit(_EXIT_CODES[DIFFERS if DIFFERS in states else GONE if GONE in states else EQUAL])


def _replayed(
    ws: Workspace, portfolio: Portfolio, key: str, some: list[DecisionId], *, superseded: bool
) -> list[Replayed]:
    ids = [one.transaction_id for one in some]
    found = replay_partition(ws, portfolio, key, ids, superseded=superseded)
    found += [again for name in ids if (again := replay_at_once(ws, portfolio, name)) is not None]
    missing = set(ids) - {one.decision.transaction_id for one in found}
    if missing:
        raise ContractError(
            f"no record of scores has transaction {min(missing)!r}",
            where=f"{portfolio.name} {key}",
            remedy="check the partition and the id",
        )
    return found


def _lines(one: Replayed) -> Iterator[Text]:
    which = "" if one.in_force else ", a record that was replaced since"
    yield Text.assemble(
        (printable(str(one.decision)), "bold"),
        (f"  scored by {one.model_version}{which}; scores {one.scores[:16]}…", "dim"),
    )
    for part in one.parts:
        yield Text.assemble("  ", (f"{part.state:<8}", _STYLES[part.state]), f"{part.name:<11}", _shown(part))
        if part.why:
            yield Text(f"            {printable(part.why)}")
    if one.whole:
        yield Text("  the scores of the whole partition come out equal, too", "dim")
    for note in one.notes:
        yield Text(f"  note: {printable(note)}", "dim")


def _shown(part: Part) -> str:
    if part.state == EQUAL or not part.recomputed:
        return printable(part.recorded)
    return f"{printable(part.recorded)} then, {printable(part.recomputed)} now"


def _table(found: list[Replayed]) -> Table:
    table = Table()
    for heading in ("decision", "model", "score", "decided", "route", "alert's reasons", "result"):
        table.add_column(heading, overflow="fold")
    for one in found:
        parts = {part.name: part for part in one.parts}
        cells = [parts[name].recorded if name in parts else "–" for name in ("score", "decision", "route")]
        reasons = parts["reasons"].state if "reasons" in parts else "–"
        wrong = "; ".join(f"{part.name}: {part.why}" for part in one.parts if part.state != EQUAL)
        table.add_row(
            printable(str(one.decision)),
            one.model_version,
            *cells,
            reasons,
            Text(one.state, _STYLES[one.state]) + Text(f" {printable(wrong)}" if wrong else "", "default"),
        )
    return table
