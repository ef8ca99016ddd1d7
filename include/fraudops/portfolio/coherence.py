"""Rules that several keys of a portfolio must keep together.

They run over what could be read: a mistake in one section hides none in another. What is said of a section that needs
many rules stands in a module of its own, ``incoherent_*.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fraudops.portfolio.cases import incoherent_cases
from fraudops.portfolio.columns import Role, stored_name
from fraudops.portfolio.incoherent_columns import incoherent_columns
from fraudops.portfolio.incoherent_compliance import Around, incoherent_compliance
from fraudops.portfolio.incoherent_features import incoherent_features
from fraudops.portfolio.incoherent_sources import incoherent_sources
from fraudops.portfolio.notices import incoherent_notices
from fraudops.portfolio.problems import Path, Problem, choose_of, no_column, not_a_share
from fraudops.portfolio.retention import incoherent_retention
from fraudops.portfolio.sections import Sections
from fraudops.portfolio.serving import incoherent_serving

_PRESETS = frozenset({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "@quarterly"})


def incoherences(found: Sections) -> list[Problem]:
    """Everything that does not go together."""
    return [problem for rule in _RULES for problem in rule(found)]


# -- inside -------------------------------------------------------------------------------------------


def _missing_shares(found: Sections) -> Iterator[Problem]:
    if found.validation is None:
        return
    stored = {stored_name(name, column) for name, column in found.columns.items()}
    for name, share in found.validation.maximum_missing.items():
        path: Path = ("validation", "maximum_missing", name)
        if found.names is not None and name not in found.names | stored:
            yield no_column(path, name, found.names)
        yield from not_a_share(path, share)
    yield from not_a_share(("validation", "quarantined"), found.validation.quarantined)


def _period(found: Sections) -> Iterator[Problem]:
    moments = {"start": found.start, "end": found.end}
    for name, moment in moments.items():
        if moment is not None and moment.tzinfo is None:
            yield Problem((name,), "give it with its zone", str(moment), "such as 2024-01-01T00:00:00+00:00")
            return
    if found.start is not None and found.end is not None and found.start >= found.end:
        yield Problem(("end",), "must be later than start", str(found.end))


def _training(found: Sections) -> Iterator[Problem]:
    training = found.training
    if training is None:
        return
    if training.schedule is not None and not _is_cron(training.schedule):
        remedy = 'five fields, such as "0 3 * * 1": Mondays at 03:00 UTC'
        yield Problem(("training", "schedule"), "not a cron expression", repr(training.schedule), remedy)
    if found.labels is not None and found.labels.delay >= training.window:
        message = "the window is not longer than labels.delay: no label in it would be known"
        yield Problem(("training", "window"), message, remedy="a longer window, or a shorter delay")


def _is_cron(text: str) -> bool:
    # Imported here: most portfolios have no schedule, and DAG files are parsed often.
    from croniter import croniter

    return text in _PRESETS or bool(len(text.split()) == 5 and croniter.is_valid(text))


def _policy(found: Sections) -> Iterator[Problem]:
    if found.policy is None:
        return
    if found.policy.alerts_per_day <= 0:
        message = "an alert budget is more than nothing"
        yield Problem(("policy", "alerts_per_day"), message, f"{found.policy.alerts_per_day:g}")
    yield from not_a_share(("policy", "block_precision"), found.policy.block_precision)
    if found.policy.costs is not None and found.all_columns and not found.named(Role.AMOUNT):
        message = "a missed fraud costs its amount, and no column has role 'amount'"
        yield Problem(("policy", "costs"), message, remedy="leave the costs out: nothing is measured in money")
    if found.policy.thresholds == "value" and found.policy.costs is None:
        message = "what a review is worth follows from its cost, and there are no costs"
        yield Problem(("policy", "thresholds"), message, "'value'", "state policy.costs, or use 'score'")


def _segments(found: Sections) -> Iterator[Problem]:
    if found.promotion is None:
        return
    segments, known = found.promotion.gates.segments, set(found.named(Role.CATEGORY, Role.BOOLEAN))
    path: Path = ("promotion", "gates", "segments")
    for place, name in enumerate(segments.columns):
        if name not in known and found.all_columns:
            message = f"no column {name!r} has role 'category' or 'boolean'"
            yield Problem((*path, "columns", place), message, remedy=choose_of(name, known) if known else None)
    if segments.amount_bands and found.all_columns and not found.named(Role.AMOUNT):
        message = "no column has role 'amount'"
        yield Problem((*path, "amount_bands"), message, remedy="take them out, or say which column is the amount")


def _notices(found: Sections) -> Iterator[Problem]:
    if found.notices is not None:
        yield from incoherent_notices(found.notices)


def _fairness(found: Sections) -> Iterator[Problem]:
    """Attributes are counted by their values, so that they must be stored, and no name or card number."""
    for place, name in enumerate(found.fairness.attributes if found.fairness else ()):
        path: Path = ("fairness", "attributes", place)
        column = found.columns.get(name)
        if column is None:
            if found.all_columns:
                message = f"there is no column {name!r}"
                yield Problem(path, message, remedy=choose_of(name, set(found.columns)))
        elif column.role not in (Role.CATEGORY, Role.BOOLEAN, Role.NUMBER):
            message = f"{name!r} has role {column.role.value!r}"
            remedy = "give it role category, boolean or number; features.exclude keeps it from the model"
            yield Problem(path, message, remedy=remedy)


def _currency(found: Sections) -> Iterator[Problem]:
    currency = found.currency
    if currency is None or found.names is None or currency in found.names:
        return
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        message = "neither a currency of three letters nor one of the columns"
        yield Problem(("currency",), message, repr(currency), "such as EUR, or the name of the column that says it")


def _retention(found: Sections) -> Iterator[Problem]:
    if found.retention is not None:
        yield from incoherent_retention(found.retention, found.training, found.labels)


def _cases(found: Sections) -> Iterator[Problem]:
    if found.cases is not None and found.all_columns:
        yield from incoherent_cases(found.cases, found.columns)


def _serving(found: Sections) -> Iterator[Problem]:
    if found.serving is not None and found.all_columns:
        yield from incoherent_serving(found.serving, found.columns, found.transactions)


def _compliance(found: Sections) -> Iterator[Problem]:
    if found.compliance is None:
        return
    reports = found.labels.feeds.values() if found.labels is not None else ()
    around = Around(found.columns, found.all_columns, (*found.transactions, *reports), found.retention)
    yield from incoherent_compliance(found.compliance, around)


_RULES: tuple[Callable[[Sections], Iterator[Problem]], ...] = (
    incoherent_columns,
    incoherent_sources,
    incoherent_features,
    _missing_shares,
    _period,
    _training,
    _policy,
    _segments,
    _notices,
    _fairness,
    _currency,
    _retention,
    _compliance,
    _cases,
    _serving,
)
