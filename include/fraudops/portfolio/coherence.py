"""Rules that several keys of a portfolio must keep together.

They run over what could be read: a mistake in one section hides none in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fraudops.aggregates import AGGREGATES
from fraudops.portfolio.cases import incoherent_cases
from fraudops.portfolio.columns import ENTITIES, TOKENS, Column, Role
from fraudops.portfolio.feature_names import BehaviourFeature, behaviour_features
from fraudops.portfolio.incoherent_compliance import Around, incoherent_compliance
from fraudops.portfolio.notices import Notices, incoherent_notices
from fraudops.portfolio.problems import Path, Problem, choose_of
from fraudops.portfolio.retention import Retention, incoherent_retention
from fraudops.portfolio.serving import Serving, incoherent_serving
from fraudops.portfolio.sources import Source

if TYPE_CHECKING:
    from fraudops.portfolio.behaviour import EntityFeatures
    from fraudops.portfolio.cases import Cases
    from fraudops.portfolio.compliance import Compliance
    from fraudops.portfolio.evidence import Fairness
    from fraudops.portfolio.policy import Policy
    from fraudops.portfolio.promotion import Promotion
    from fraudops.portfolio.schema import Labels, Training, Validation

RESERVED = frozenset(
    {
        "transaction_id",
        "event_time",
        "amount",
        "amount_minor",
        "partition_key",
        "label",
        "slice",
        "score",
        "decision",
        "label_weight",
    }
)
"""Names that the store and the models use for something of their own."""

_CALENDAR = frozenset({"hour", "weekday", "night", "weekend"})
_REPORT_COLUMNS = {
    "source": frozenset({"transaction_id", "reported_at", "label"}),
    "dispositions": frozenset({"transaction_id", "reported_at", "finding", "by"}),
}
_PRESETS = frozenset({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually", "@quarterly"})


@dataclass(frozen=True)
class Sections:
    """What could be read of a portfolio; None for a section that could not."""

    columns: Mapping[str, Column]
    transactions: tuple[Source, ...]
    unreadable: frozenset[str] | None = frozenset()
    """Names of columns of which not even the role could be read; None where no column could."""
    labels: Labels | None = None
    calendar: tuple[str, ...] = ()
    behaviour: tuple[tuple[int, EntityFeatures], ...] = ()
    """Groups of features, with their places in the list."""
    exclude: tuple[str, ...] = ()
    validation: Validation | None = None
    training: Training | None = None
    policy: Policy | None = None
    promotion: Promotion | None = None
    notices: Notices | None = None
    fairness: Fairness | None = None
    retention: Retention | None = None
    compliance: Compliance | None = None
    cases: Cases | None = None
    serving: Serving | None = None
    currency: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def all_columns(self) -> bool:
        """Whether every column's role is known: only then is something known not to be there."""
        return self.unreadable is not None and not self.unreadable

    @property
    def names(self) -> set[str] | None:
        """Names of all columns; None where they could not be read."""
        return None if self.unreadable is None else {*self.columns, *self.unreadable}

    def named(self, *roles: Role) -> list[str]:
        """Names of the columns with one of these roles."""
        return [name for name, column in self.columns.items() if column.role in roles]


def stored_name(name: str, column: Column) -> str:
    """Name of a column in the store: fixed for id, time, amount and label, ``*_token`` for a card or an account."""
    fixed = {Role.ID: "transaction_id", Role.TIME: "event_time", Role.AMOUNT: "amount", Role.LABEL: "label"}
    if column.role in fixed:
        return fixed[column.role]
    return f"{name.removesuffix('_number')}_token" if column.role in TOKENS else name


def entity_name(name: str, column: Column) -> str:
    """Name of the entity that a column names."""
    return column.entity or name.removesuffix("_id")


def incoherences(found: Sections) -> list[Problem]:
    """Everything that does not go together."""
    return [problem for rule in _RULES for problem in rule(found)]


# -- columns -----------------------------------------------------------------------------------------------


def _roles(found: Sections) -> Iterator[Problem]:
    for role, at_least in ((Role.TIME, 1), (Role.AMOUNT, 0), (Role.ID, 0), (Role.LABEL, 0)):
        names = found.named(role)
        if len(names) > 1:
            message = f"{len(names)} have role {role.value!r}: {', '.join(names)}"
            yield Problem(("columns", names[-1]), message, remedy="one at most may have it")
        elif len(names) < at_least and found.all_columns:
            message = f"0 have role {role.value!r}"
            remedy = "say when a transaction happened: a column, parts, or rows_per_day where the file does not tell"
            yield Problem(("columns",), message, remedy=remedy)


def _names(found: Sections) -> Iterator[Problem]:
    own = (Role.ID, Role.TIME, Role.AMOUNT, Role.LABEL)
    for name, column in found.columns.items():
        if name in RESERVED and column.role not in own:
            message = f"{name!r} is a reserved name and cannot have role {column.role.value!r}"
            yield Problem(
                ("columns", name), message, remedy="choose another name, and map it under transactions.columns"
            )
        elif name.startswith("__") or not name.strip():
            yield Problem(("columns", name), f"{name!r} cannot be a column's name", remedy="begin it with a letter")
    stored: dict[str, str] = {}
    for name, column in found.columns.items():
        if column.role in (Role.IGNORE, *own):
            continue
        kept = stored_name(name, column)
        if kept in stored:
            message = f"would be stored as {kept!r}, as {stored[kept]!r} is"
            yield Problem(("columns", name), message, remedy="rename one of the two")
        stored.setdefault(kept, name)


def _joins(found: Sections) -> Iterator[Problem]:
    """What is protected must not come out through a join."""
    for name, column in found.columns.items():
        if not column.join or column.role is Role.PERSONAL:
            continue
        for part in column.join:
            for other, protected in found.columns.items():
                if protected.role in (*TOKENS, Role.PERSONAL) and _is(part, other, found):
                    yield Problem(
                        ("columns", name, "join"), f"{part!r} is {_what(protected.role)}, and would be stored in clear",
                        remedy="give this column role personal, or leave that one out of the join",
                    )  # fmt: skip


def _is(part: str, name: str, found: Sections) -> bool:
    return part == name or any(part == source.calls(name) for source in found.transactions)


def _what(role: Role) -> str:
    return {Role.CARD: "a card number", Role.ACCOUNT: "an account number"}.get(role, "personal")


def _entities(found: Sections) -> Iterator[Problem]:
    known: dict[str, str] = {}
    for name in found.named(*ENTITIES):
        entity = entity_name(name, found.columns[name])
        if entity in known:
            message = f"the entity {entity!r} is named by {known[entity]!r} already"
            yield Problem(("columns", name), message, remedy="give one of them another entity")
        known.setdefault(entity, name)


# -- features ----------------------------------------------------------------------------------------------


def _behaviour(found: Sections) -> Iterator[Problem]:
    for place, group in found.behaviour:
        path: Path = ("features", "behaviour", place)
        yield from _entities_of(group, path, found)
        yield from _aggregates_of(group, path, found)
        yield from _windows_of(group, path)


def _entities_of(group: EntityFeatures, path: Path, found: Sections) -> Iterator[Problem]:
    known = {entity_name(name, found.columns[name]) for name in found.named(*ENTITIES)}
    named = [("entity", name) for name in group.entities] + ([("of", group.of)] if group.of else [])
    for key, name in named:
        if name not in known and found.all_columns:
            remedy = choose_of(name, known) if known else "give a column the role entity"
            yield Problem((*path, key), f"there is no entity {name!r}", remedy=remedy)
    counting = [name for name in group.aggregates if AGGREGATES[name].other]
    if counting and not group.of:
        message = f"{', '.join(counting)}: counts another entity, and none is named"
        yield Problem((*path, "of"), message, remedy="say which one, such as of: terminal")
    if group.of and not counting:
        message = "none of these aggregates counts another entity"
        yield Problem((*path, "of"), message, remedy="take it out, or add the aggregate distinct")
    if group.of in group.entities:
        yield Problem((*path, "of"), f"{group.label!r} has one {group.of!r} only", remedy="name another entity")


def _aggregates_of(group: EntityFeatures, path: Path, found: Sections) -> Iterator[Problem]:
    of_amount = [name for name in group.aggregates if AGGREGATES[name].amount]
    if of_amount and not found.named(Role.AMOUNT) and found.all_columns:
        message = f"{', '.join(of_amount)}: no column has role 'amount'"
        yield Problem((*path, "aggregates"), message, remedy="take them out, or say which column is the amount")


def _windows_of(group: EntityFeatures, path: Path) -> Iterator[Problem]:
    if not group.windows and any(AGGREGATES[name].windowed for name in group.aggregates):
        message = f"entity {group.label!r} has aggregates but no windows"
        yield Problem((*path, "windows"), message, remedy="such as windows: [1d, 7d]")
    if any(window <= timedelta(0) for window in group.windows):
        yield Problem((*path, "windows"), "a window must be longer than nothing", remedy="such as 7d")


def _feature_names(found: Sections) -> Iterator[Problem]:
    behaviour = {feature for _, group in found.behaviour for feature in behaviour_features(group)}
    features = {feature.name for feature in behaviour} | set(found.calendar)
    for name, column in found.columns.items():
        if column.role is not Role.IGNORE and stored_name(name, column) in features:
            message = f"a feature has the name {stored_name(name, column)!r} as well"
            yield Problem(
                ("columns", name), message, remedy="choose another name, and map it under transactions.columns"
            )
    yield from _alike(found)


def _alike(found: Sections) -> Iterator[Problem]:
    """A pair's column must not have the name of another entity's."""
    meant: dict[str, BehaviourFeature] = {}
    for place, group in found.behaviour:
        for feature in behaviour_features(group):
            if meant.setdefault(feature.name, feature) != feature:
                message = f"another group has a feature of the name {feature.name!r}"
                yield Problem(("features", "behaviour", place), message, remedy="give one of the entities another name")
                break


def _excluded(found: Sections) -> Iterator[Problem]:
    for place, name in enumerate(found.exclude):
        if found.names is not None and name not in found.names:
            yield _no_column(("features", "exclude", place), name, found.names)


def _missing_shares(found: Sections) -> Iterator[Problem]:
    if found.validation is None:
        return
    stored = {stored_name(name, column) for name, column in found.columns.items()}
    for name, share in found.validation.maximum_missing.items():
        path: Path = ("validation", "maximum_missing", name)
        if found.names is not None and name not in found.names | stored:
            yield _no_column(path, name, found.names)
        yield from _share(path, share)
    yield from _share(("validation", "quarantined"), found.validation.quarantined)


def _no_column(path: Path, name: str, known: set[str]) -> Problem:
    return Problem(path, f"there is no column {name!r}", remedy=choose_of(name, known))


def _share(path: Path, value: float) -> Iterator[Problem]:
    if not 0 <= value <= 1:
        yield Problem(path, "a share lies between 0 and 1", f"{value:g}")


# -- labels and sources ------------------------------------------------------------------------------------


def _answer(found: Sections) -> Iterator[Problem]:
    labels = found.labels
    if labels is None or not found.all_columns:
        return
    if not labels.source and not found.named(Role.LABEL):
        message = "neither a column with role 'label' nor labels.source says what was fraud"
        remedy = 'add to columns: label: {role: label, positive: ["1"]}, and map it to the column of the file'
        yield Problem(("labels",), message, remedy=remedy)
    if labels.source and not found.named(Role.ID):
        message = "a feed of reports needs a column with role 'id' to refer to"
        yield Problem(("labels", "source"), message, remedy="say which column names the transaction")
    if labels.dispositions and not labels.source:
        message = "dispositions stand beside a feed of reports, and there is none"
        remedy = "give labels.source; where investigators' findings are the only labels, that is their feed"
        yield Problem(("labels", "dispositions"), message, remedy=remedy)
    if labels.unreported == "unknown" and not labels.source:
        message = "a label column says of every transaction what it was: none is unreported"
        yield Problem(("labels", "unreported"), message, "'unknown'", "give labels.source, or leave it out")


def _sources(found: Sections) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, source in enumerate(found.transactions):
        path: Path = ("transactions", place)
        if source.name in seen:
            yield Problem((*path, "name"), f"another source is called {source.name!r}", remedy="give each its own name")
        seen.add(source.name)
        for name, column in found.columns.items():
            try:
                source.column(name, column)
            except ValueError as error:
                yield Problem((*path, "columns", name), _reason(error))
        if found.names is not None:
            yield from _mapped(path, source, found.names | _parts(found))
        yield from _simulated(path, source)
        if source.path is not None and not source.is_remote and ".." in source.path.split("/"):
            message = "the path leads out of the landing folder"
            yield Problem((*path, "path"), message, repr(source.path), "name files below it")
        if source.is_database:
            yield from _read_of_database(path, source, found)
    if found.labels is not None:
        folders = {source.name: "of the transactions" for source in found.transactions if source.is_fetched}
        for key, columns in _REPORT_COLUMNS.items():
            feed: Source | None = getattr(found.labels, key)
            if feed is not None:
                yield from _reports(("labels", key), feed, set(columns), folders)


def _reports(path: Path, source: Source, columns: set[str], folders: dict[str, str]) -> Iterator[Problem]:
    """What is said about transactions; ``folders`` gets the feed's name, which is its folder in the landing folder."""
    if source.is_fetched:
        if source.name in folders:
            message = f"{source.name!r} is the name of a source {folders[source.name]}"
            yield Problem((*path, "name"), message, remedy="give it a name of its own")
        folders[source.name] = "of the labels"
    yield from _mapped(path, source, columns)
    yield from _simulated(path, source)


def _parts(found: Sections) -> set[str]:
    """What columns are put together from: a source may call that otherwise as well."""
    names = {part for column in found.columns.values() for part in column.is_made_of}
    for source in found.transactions:
        for name, column in found.columns.items():
            try:
                names |= set(source.column(name, column).is_made_of)
            except ValueError:
                continue
    return names


def _mapped(path: Path, source: Source, known: set[str]) -> Iterator[Problem]:
    for name in source.columns:
        if name not in known:
            message = f"none of our columns is called {name!r} (on the left stands our name, on the right the file's)"
            yield Problem((*path, "columns", name), message, remedy=choose_of(name, known))


def _simulated(path: Path, source: Source) -> Iterator[Problem]:
    if source.simulator and source.is_fetched:
        yield Problem((*path, "simulator"), f"source {source.name!r} cannot be simulated: it is not a local file")


def _read_of_database(path: Path, source: Source, found: Sections) -> Iterator[Problem]:
    for name in found.named(Role.TIME):
        try:
            column = source.column(name, found.columns[name])
        except ValueError:
            continue  # told already
        if column.parts or column.rows_per_day or column.format:
            message = "a database gives the time as one column: a timestamp, or an offset from an origin"
            yield Problem((*path, "columns", name), message, remedy="make one in a query")
    if source.watermark is not None and found.all_columns and not found.named(Role.ID):
        message = "needs a column with role 'id': without one a row that is read again counts twice"
        yield Problem((*path, "watermark"), message, repr(source.watermark), "the sequence itself will do as the id")


def _reason(error: ValueError) -> str:
    """The sentence itself, without the heading that pydantic puts above it."""
    errors = getattr(error, "errors", None)
    return errors()[0]["msg"].removeprefix("Value error, ") if callable(errors) else str(error)


# -- the rest ----------------------------------------------------------------------------------------------


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
    yield from _share(("policy", "block_precision"), found.policy.block_precision)
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
    _roles, _names, _joins, _entities, _answer, _sources, _behaviour, _feature_names, _excluded, _missing_shares,
    _period, _training, _policy, _segments, _notices, _fairness, _currency, _retention,
    _compliance,
    _cases,
    _serving,
)  # fmt: skip
