"""The draft as commented YAML."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fraudops.intake.inference.clocks import NOMINAL, Clock
from fraudops.intake.inference.labelling import LabelFound
from fraudops.intake.inference.naming import our_name
from fraudops.intake.inference.planning import Plan
from fraudops.intake.inference.roles import Choice
from fraudops.intake.inference.sampling import Sample
from fraudops.intake.inference.surveying import Survey
from fraudops.portfolio import Role
from fraudops.portfolio.columns import ENTITIES

_FEWEST_OF_A_RANGE = 3
_WIDTH = 110
_FIXED = {Role.ID: "transaction_id", Role.AMOUNT: "amount"}
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./*-]*|[0-9]+[dhms]")
_WORDS_OF_YAML = {"yes", "no", "true", "false", "on", "off", "null", "y", "n", "t", "f"}
_ORDER = [Role.ID, Role.AMOUNT, Role.ENTITY, Role.CARD, Role.ACCOUNT, Role.PERSONAL]


@dataclass(frozen=True)
class Findings:
    """All that was found out about a file."""

    name: str
    file: str
    path: str
    """Pattern of the source."""
    sample: Sample
    survey: Survey
    source: dict[str, Any]
    clock: Clock | None
    label: LabelFound | None
    choices: Sequence[Choice]
    currency: str
    currency_reason: str
    plan: Plan
    notes: Sequence[str]


@dataclass(frozen=True)
class _Entry:
    """A line, or a range of lines, of ``columns``."""

    ours: str
    choice: Choice
    count: int = 1
    missing: float = 0.0
    """The largest share of missing values of the range."""


def write(found: Findings) -> str:
    """The YAML of a first draft."""
    entries = _entries(found)
    lines = [*_head(found), "", *_general(found), "", *_source(found, entries), "", *_columns(found, entries), ""]
    lines += [*_labels(found), "", *_features(found, entries), *_rest(found)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def scalar(value: Any) -> str:
    """A value as YAML on one line; texts are quoted unless nobody could read them as anything else.

    Examples
    --------
    >>> scalar("amount"), scalar("Is Fraud?"), scalar("no"), scalar(["a", 1])
    ('amount', '"Is Fraud?"', '"no"', '[a, 1]')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {scalar(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.casefold() not in _WORDS_OF_YAML else _quoted(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _quoted(text: str) -> str:
    # A JSON string is a YAML one, but for characters that YAML counts as line breaks.
    return (
        json.dumps(text, ensure_ascii=False)
        .replace("\x85", "\\x85")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


# -- sections ----------------------------------------------------------------------------------------------


def _head(found: Findings) -> list[str]:
    rows = found.sample.rows
    total = found.survey.rows
    if found.sample.whole:
        looked = f"all {rows:,} rows were looked at"
    else:
        about = "" if found.survey.counted else "about "
        looked = f"{rows:,} of {about}{total:,} rows were looked at, from its start and from places all over it"
    return [
        *_comment(f"A first draft, inferred from {found.file}: {looked}."),
        *_comment("Read each “unsure”, correct what is wrong, and put in your own words and addresses. Then:"),
        f"#   fraudops portfolio check {found.name}.yaml",
        f"#   fraudops portfolio add {found.name}.yaml",
        f"#   fraudops demo --portfolio {found.name} --file {found.file}",
        *(line for note in found.notes for line in _comment(f"Note: {note}.")),
    ]


def _general(found: Findings) -> list[str]:
    title = found.name.replace("_", " ").capitalize()
    plan = found.plan
    return [
        f"name: {found.name}",
        f"title: {scalar(title)}",
        f"description: {scalar('Transactions like those of ' + found.file)}",
        "owner: fraud-team              # the team that answers for it",
        "",
        f"partition_hours: {plan.partition_hours}".ljust(32) + f"# {plan.partitions} partitions have rows",
        "scheduled: false                # a file of the past; true once files arrive by themselves",
    ]


def _source(found: Findings, entries: Sequence[_Entry]) -> list[str]:
    lines = ["transactions:", f"  path: {_quoted(found.path)}".ljust(32) + f"# files below landing/{found.name}/"]
    if found.sample.form.compressed:
        lines[-1] += "; plain or gzip"
    lines += [f"  {key}: {_source_value(value)}" for key, value in found.source.items()]
    if "missing" in found.source:
        lines[-1] += "   # texts that stand for no value"
    names = {entry.ours: entry.choice.name for entry in entries if entry.count == 1 and not _joined(entry)}
    if found.clock is not None and len(found.clock.columns) == 1:
        names = {"event_time": found.clock.columns[0], **names}
    if found.label is not None:
        names["label"] = found.label.column
    renamed = [f"    {ours}: {scalar(theirs)}" for ours, theirs in names.items() if ours != theirs]
    return lines + (["  columns:                      # our name: the file's", *renamed] if renamed else [])


def _source_value(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) and len(value) == 1 else scalar(value)


def _columns(found: Findings, entries: Sequence[_Entry]) -> list[str]:
    lines = ["columns:", *_time(found)]
    used = [entry for entry in entries if entry.choice.role is not Role.IGNORE]
    for entry in sorted(used, key=lambda item: _ORDER.index(item.choice.role) if item.choice.role in _ORDER else 9):
        lines += _column(entry)
    lines += _label(found)
    passed = [entry for entry in entries if entry.choice.role is Role.IGNORE]
    return lines + ([*(line for entry in passed for line in _column(entry))])


def _time(found: Findings) -> list[str]:
    clock = found.clock
    if clock is None:
        settings = {"role": Role.TIME.value, "origin": NOMINAL, "rows_per_day": found.plan.rows_per_day}
        told = "nothing in the file says when: its order stands for the time"
        return [f"  event_time: {scalar(settings)}", *_comment(told, 4), *_unsure(["how many rows are a day"])]
    lines = [f"  event_time: {scalar({'role': Role.TIME.value, **clock.settings})}"]
    return [*lines, *_comment(clock.reason, 4), *_unsure(clock.unsure)]


def _column(entry: _Entry) -> list[str]:
    choice = entry.choice
    key = _quoted(entry.ours) if entry.count > 1 else scalar(entry.ours)
    line = f"  {key}: {scalar({'role': choice.role.value, **choice.settings})}"
    if entry.count > 1:
        missing = f", up to {100 * entry.missing:.2g} % missing" if entry.missing else ""
        return [f"{line}   # {entry.count} columns{missing}"]
    reason = choice.reason
    lines = [f"{line}   # {reason}"] if len(line) + len(reason) + 5 <= _WIDTH else [line, *_comment(reason, 4)]
    return [*lines, *_unsure(choice.unsure)]


def _label(found: Findings) -> list[str]:
    label = found.label
    if label is None:
        return [
            "  # TO FILL IN: no column looks like the answer. Name the one that says what was fraud, and which of its",
            "  # texts mean it (or give labels.source, a feed of reported frauds, further below):",
            '  # label: {role: label, positive: ["1"]}',
        ]
    settings: dict[str, Any] = {"role": Role.LABEL.value, "positive": list(label.positive)}
    if label.negative:
        settings["negative"] = list(label.negative)
    texts = {key: "[" + ", ".join(map(_quoted, value)) + "]" for key, value in settings.items() if key != "role"}
    written = ", ".join(f"{key}: {value}" for key, value in texts.items())
    line = f"  label: {{role: label, {written}}}"
    return [line, *_comment(label.reason, 4), *_unsure(label.unsure)]


def _labels(found: Findings) -> list[str]:
    return [
        "labels:",
        f"  delay: {found.plan.delay}",
        *_comment(f"unsure: {found.plan.delay_reason}", 4),
        "  # blocked: unlabelled         # unsure: once payments are really blocked, nobody reports the blocked ones",
    ]


def _features(found: Findings, entries: Sequence[_Entry]) -> list[str]:
    plan = found.plan
    excluded = [entry for entry in entries if entry.choice.exclude]
    lines = []
    if plan.calendar:
        lines.append(f"  calendar: {scalar(list(plan.calendar))}")
    ours = {entry.choice.name: entry for entry in entries}
    if plan.behaviour:
        lines.append("  behaviour:")
    for group in plan.behaviour:
        names = [_entity(ours[choice.name]) for choice in group["entity"]]
        entity = names[0] if len(names) == 1 else names
        content = {"entity": entity, "windows": group["windows"], "aggregates": group["aggregates"]}
        lines.append(f"    - {scalar(content)}")
    if excluded:
        lines.append("  exclude:                      # leak suspects: kept, but no model sees them")
        for entry in excluded:
            lines += [f"    - {scalar(entry.ours)}", *_comment(str(entry.choice.exclude), 6)]
    return ["features:", *lines, ""] if lines else []


def _rest(found: Findings) -> list[str]:
    plan = found.plan
    lines = [
        "validation:",
        "  quarantined: 0.05             # largest share of a partition's rows in quarantine",
        "  learn_from: 0                 # a file of the past changes with the years; 28 once it is a live feed:",
        "                                # each partition is then compared with so many before it",
        "",
        "training:",
        f"  window: {plan.window}".ljust(32) + f"# {plan.window_reason}",
        f"  minimum_positives: {plan.minimum_positives}".ljust(32) + "# frauds that the gate needs to decide at all",
        *_comment(plan.candidates_reason, 2),
        "  candidates:                   # started in this order: the slowest first",
    ]
    for name, parameters in plan.candidates.items():
        content = {"estimator": name, **({"parameters": parameters} if parameters else {})}
        lines.append(f"    {name}: {scalar(content)}")
    lines += ["", "policy:", f"  alerts_per_day: {plan.alerts_per_day:g}".ljust(32) + f"# {plan.alerts_reason}"]
    lines += _COSTS if _has_amount(found) else []
    lines += ["", "promotion:", "  approvers: [model_validator]  # roles, or users, of roles.yaml who may decide", ""]
    lines += ["notices:                        # put in your own addresses"]
    people = {"compliance": "compliance", "data_owner": "data-owner", "model_owner": "model-risk"}
    lines += [f"  {key}: [{address}@bank.example]" for key, address in people.items()]
    lines.append("  sender: fraudops@bank.example")
    return [*_money(found), *lines]


_COSTS = [
    "  # costs:                      # no file tells these: state them, in major units, and decisions are",
    "  #   review: 4                 # measured in money: a person's look at one transaction",
    "  #   friction: 15              # a genuine payment that was blocked",
]


def _has_amount(found: Findings) -> bool:
    return any(choice.role is Role.AMOUNT for choice in found.choices)


def _money(found: Findings) -> list[str]:
    if not _has_amount(found):
        return []
    digits = 0 if found.currency == "JPY" else 2
    line = f"currency: {scalar(found.currency)}".ljust(32) + f"# {found.currency_reason}"
    return [line, f"minor_digits: {digits}", ""]


# -- names -------------------------------------------------------------------------------------------------


def _entries(found: Findings) -> list[_Entry]:
    """Our names; runs of numbered columns of the same role become one entry."""
    taken = {"transaction_id", "event_time", "amount", "label"}
    entries: list[_Entry] = []
    for run in _runs(found.choices):
        if len(run) >= _FEWEST_OF_A_RANGE and not {choice.name for choice in run} & taken:
            stem, first = _numbered(run[0].name)
            taken |= {choice.name for choice in run}
            missing = max(choice.profile.missing for choice in run)
            entries.append(_Entry(f"{stem}{{{first}..{first + len(run) - 1}}}", run[0], len(run), missing))
            continue
        for choice in run:
            ours = _FIXED.get(choice.role) or our_name(choice.name, choice.profile.position, taken)
            taken.add(ours)
            entries.append(_Entry(ours, choice))
    return _with_own_entities(entries)


def _with_own_entities(entries: list[_Entry]) -> list[_Entry]:
    """No two columns name the same entity: ``account`` and ``account_id`` would, and so would two card numbers."""
    taken: set[str] = set()
    found = []
    for entry in entries:
        if entry.choice.role in ENTITIES:
            if _entity(entry) in taken:
                named = {**entry.choice.settings, "entity": entry.ours}
                entry = replace(entry, choice=replace(entry.choice, settings=named))
            taken.add(_entity(entry))
        found.append(entry)
    return found


def _runs(choices: Sequence[Choice]) -> Iterable[list[Choice]]:
    """Neighbours whose names count up, and which are described alike."""
    run: list[Choice] = []
    for choice in choices:
        if run and not _continues(run[-1], choice):
            yield run
            run = []
        run.append(choice)
    if run:
        yield run


def _continues(before: Choice, after: Choice) -> bool:
    stem, number = _numbered(before.name)
    plain = all(
        choice.role in (Role.NUMBER, Role.BOOLEAN, Role.CATEGORY, Role.IGNORE)
        and not (choice.settings or choice.exclude or choice.unsure)
        for choice in (before, after)
    )
    return plain and number >= 0 and _numbered(after.name) == (stem, number + 1) and before.role is after.role


def _numbered(name: str) -> tuple[str, int]:
    match = re.fullmatch(r"([A-Za-z_][A-Za-z0-9_]*?)(0|[1-9][0-9]*)", name)
    return (match[1], int(match[2])) if match else (name, -1)


def _joined(entry: _Entry) -> bool:
    return "join" in entry.choice.settings


def _entity(entry: _Entry) -> str:
    return str(entry.choice.settings.get("entity") or entry.ours.removesuffix("_id"))


# -- comments ----------------------------------------------------------------------------------------------


def _comment(text: str, indent: int = 0) -> list[str]:
    start = " " * indent + "# "
    flat = " ".join(text.split())
    return textwrap.wrap(flat, _WIDTH, initial_indent=start, subsequent_indent=start, break_long_words=False)


def _unsure(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in _comment(f"unsure: {text}", 4)]
