"""From a data file to the draft of its portfolio."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fraudops.errors import ContractError
from fraudops.intake.inference.clocks import find_clock
from fraudops.intake.inference.labelling import find_label
from fraudops.intake.inference.leaks import fraud_of, with_suspects
from fraudops.intake.inference.naming import our_name
from fraudops.intake.inference.planning import make_plan
from fraudops.intake.inference.profiling import Profile, currency_of, markers_of, profiles
from fraudops.intake.inference.roles import Choice, choose_roles, with_joined_pairs
from fraudops.intake.inference.sampling import read_sample
from fraudops.intake.inference.surveying import form_of_source, survey
from fraudops.intake.inference.writing import Findings, write
from fraudops.portfolio import Role

_NAME = r"[a-z][a-z0-9_]{1,40}"


@dataclass(frozen=True)
class Draft:
    """A first draft."""

    name: str
    text: str
    """Commented YAML."""
    messages: tuple[str, ...]
    """What a person should know at once."""
    has_label: bool


def infer(path: Path, name: str | None = None) -> Draft:
    """Look at a file, and write down what its portfolio would be.

    Parameters
    ----------
    path
        CSV (plain or gzip, any delimiter, quote and encoding) or Parquet, with column names.
    name
        Of the portfolio (default: from the file's).

    Raises
    ------
    ContractError
        The file cannot be read as a table, or the name is none.
    """
    name = _checked(name) if name is not None else _name_of(path)
    sample = read_sample(path)
    found, style = profiles(sample)
    label = find_label(found)
    unlabelled = [p for p in found if p.name and (label is None or p.name != label.column)]
    clock = find_clock(sample, unlabelled, style)
    choices, notes = choose_roles(found, clock, label, whole=sample.whole)
    choices = with_joined_pairs(choices)
    fraud = np.full(sample.rows, np.nan)
    if label is not None:
        fraud = fraud_of(next(p for p in found if p.name == label.column), label)
        choices = with_suspects(choices, fraud)
    used = [choice.profile for choice in choices if choice.role is not Role.IGNORE]
    source = form_of_source(sample.form, style, markers_of(used))
    survey_ = survey(path, sample, source, clock, label, fraud)
    plan = make_plan(survey_, clock, choices, has_label=label is not None)
    currency, reason = _currency(choices)
    text = write(
        Findings(
            name,
            path.name,
            _pattern(path),
            sample,
            survey_,
            source,
            clock,
            label,
            choices,
            currency,
            reason,
            plan,
            notes,
        )
    )
    told = [f"looked at {sample.rows:,} of {survey_.rows:,} rows, {len(found)} columns", *notes]
    if clock is None:
        told.append("no column says when: the order of the rows stands for the time (rows_per_day)")
    if label is None:
        told.append("no column says what was fraud: fill in the label in the draft (columns: label), or labels.source")
    return Draft(name, text, tuple(told), label is not None)


def _checked(name: str) -> str:
    if not re.fullmatch(_NAME, name):
        raise ContractError(
            f"{name!r} is no name of a portfolio",
            where="--name",
            remedy="use small letters, digits and underscores, a letter first, at most 41",
        )
    return name


def _name_of(path: Path) -> str:
    stem = path.name.split(".")[0]
    found = our_name(stem, 0, ())[:40].strip("_")
    return found if re.fullmatch(_NAME, found) else "portfolio"


def _pattern(path: Path) -> str:
    """``*.csv*`` for ``a.csv`` and ``a.csv.gz``; all files where the name has no ending."""
    ending = path.name.removesuffix(".gz").rpartition(".")[2] if "." in path.name.removesuffix(".gz") else ""
    return f"*.{ending}*" if ending.isalnum() else "*"


def _currency(choices: Sequence[Choice]) -> tuple[str, str]:
    for choice in choices:
        if choice.role is Role.AMOUNT and (code := currency_of(choice.profile)):
            return code, "the sign at the amounts, or in their name"
    for choice in choices:
        if choice.role is Role.CATEGORY and _holds_currencies(choice.profile):
            return our_name(choice.name, choice.profile.position, ()), "the column that says it"
    return "EUR", "unsure: nothing in the file says it"


def _holds_currencies(profile: Profile) -> bool:
    named = {"currency", "ccy", "waehrung", "curr"} & set(profile.words)
    return bool(named) and profile.share(r"^[A-Z]{3}$") > 0.95
