"""From the content of a YAML file to a portfolio, or to everything that is wrong with it."""

from __future__ import annotations

import copy
import types
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from fraudops.portfolio.behaviour import EntityFeatures
from fraudops.portfolio.cases import Cases
from fraudops.portfolio.coherence import incoherences
from fraudops.portfolio.columns import Column
from fraudops.portfolio.compliance import Compliance
from fraudops.portfolio.document import Document
from fraudops.portfolio.evidence import Fairness
from fraudops.portfolio.labels import Labels
from fraudops.portfolio.notices import Notices
from fraudops.portfolio.policy import Policy
from fraudops.portfolio.problems import Path, Problem, choose_of, nearest
from fraudops.portfolio.promotion import Promotion
from fraudops.portfolio.ranges import expanded_names
from fraudops.portfolio.retention import Retention
from fraudops.portfolio.schema import Portfolio
from fraudops.portfolio.sections import Sections
from fraudops.portfolio.serving import Serving
from fraudops.portfolio.sources import Source
from fraudops.portfolio.training import Training
from fraudops.portfolio.validation import Validation

_LONGEST = 80
_MOST_PRUNED = 8
_BRANCHES = ("str", "SourceColumn")
"""What pydantic calls the two ways of writing a column of a source."""
_SOMEBODY = ["somebody@bank.example"]
Model = TypeVar("Model", bound=BaseModel)


def read_portfolio(document: Document) -> tuple[Portfolio | None, list[Problem]]:
    """A portfolio, or None and everything that is wrong, each problem with its line."""
    if document.content is None:
        return None, list(document.problems)
    if not isinstance(document.content, dict):
        return None, [Problem((), "the file holds no mapping of keys to values", line=1)]
    content = {str(key): value for key, value in document.content.items()}
    problems = [*document.problems, *_colliding_ranges(content)]
    portfolio = None
    try:
        portfolio = Portfolio.model_validate(content)
    except ValidationError as error:
        problems += [problem for item in error.errors(include_url=False) for problem in _of_pydantic(item, content)]
        problems += incoherences(_readable(content))
    placed = _distinct([_placed(problem, content, document) for problem in problems])
    return (None if placed else portfolio), placed


def readable_training(document: Document) -> Training | None:
    """The section ``training`` of a file with mistakes elsewhere; None where it has its own."""
    return _pruned(Training, _mapping(document.content).get("training"))


def _placed(problem: Problem, content: dict[str, Any], document: Document) -> Problem:
    """The problem with the path as the file has it, and its line."""
    path = _as_written(problem.path, content)
    line = problem.line if problem.line is not None else document.line_of(path)
    return Problem(path, problem.message, problem.value, problem.remedy, line)


def _as_written(path: Path, content: dict[str, Any]) -> Path:
    """A single source needs no place in a list; ``V1`` is written as ``V{1..28}``."""
    if path[:2] == ("transactions", 0) and isinstance(content.get("transactions"), dict):
        path = ("transactions", *path[2:])
    columns = content.get("columns")
    if len(path) >= 2 and path[0] == "columns" and isinstance(columns, dict) and path[1] not in columns:
        for key in map(str, columns):
            if path[1] in (expanded_names(key) or ()):
                return ("columns", key, *path[2:])
    return path


def _distinct(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _colliding_ranges(content: dict[str, Any]) -> Iterator[Problem]:
    columns = content.get("columns")
    if not isinstance(columns, dict):
        return
    seen: dict[str, str] = {}
    for key in map(str, columns):
        names = expanded_names(key)
        if names is not None and not names:
            yield Problem(
                ("columns", key), "the range holds no number, or too many", remedy="the smaller one stands first"
            )
        for name in names or [key]:
            if name in seen and seen[name] != key:
                message = f"{name!r} stands under {seen[name]!r} as well"
                yield Problem(("columns", key), message, remedy="take it out of one of the two")
                break
            seen[name] = key


# -- what pydantic finds -----------------------------------------------------------------------------------


def _of_pydantic(item: Any, content: dict[str, Any]) -> Iterator[Problem]:
    path: Path = tuple(item["loc"])
    if not path:
        return  # the rules over several keys: they are told one by one
    path, item_of_union = _without_union(path, item["input"])
    if path is None:
        return
    kind, given = item["type"], item["input"]
    if kind == "too_short" and given:
        return  # its items are wrong, and each is told
    message = item["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
    if kind == "missing":
        yield Problem(path, "is required")
    elif kind == "extra_forbidden":
        known = _keys_at(path[:-1])
        remedy = choose_of(str(path[-1]), known)
        yield Problem(path, "there is no such key", _shown(given), remedy)
    elif item_of_union:
        yield Problem(path, "give the file's name of the column, or a mapping", _shown(given))
    elif kind == "literal_error" or kind == "enum":
        expected = str(item.get("ctx", {}).get("expected", ""))
        close = nearest(str(given), [text.strip(" '") for text in expected.replace(" or ", ",").split(",")])
        yield Problem(path, message, _shown(given), f"did you mean {close!r}?" if close else None)
    else:
        quoted = isinstance(given, str) and repr(given) in message
        yield Problem(path, message, None if quoted or isinstance(given, dict) else _shown(given), _remedy(path, kind))


def _without_union(path: Path, given: Any) -> tuple[Any, bool]:
    """``transactions.columns.x.str`` names a branch of a union and not a key.

    Returns None for a branch that was not meant, and whether no branch was.
    """
    for place, part in enumerate(path):
        if part == "SourceColumn":
            if place == len(path) - 1 and not isinstance(given, dict):
                return (path[:place], True)
            return (*path[:place], *path[place + 1 :]), False
        if part == "str" and place == len(path) - 1 and "columns" in path:
            return None, False
    return path, False


def _shown(given: Any) -> str:
    text = str(given) if isinstance(given, date) else repr(given)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _remedy(path: Path, kind: str) -> str | None:
    if path == ("name",):
        return "small letters, digits and underscores, a letter first, 2 to 41 of them"
    if kind == "tuple_type":
        return "write a list, such as [a, b]"
    if kind == "too_short":
        return "give one at least"
    return None


def _keys_at(path: Path) -> set[str]:
    """Keys that may stand at a place of a portfolio."""
    kinds: list[Any] = [Portfolio]
    for part in path:
        kinds = [found for kind in kinds for found in _step(kind, part)]
    return {name for kind in kinds for name in _fields(kind)}


def _fields(kind: Any) -> list[str]:
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _step(kind: Any, part: str | int) -> list[Any]:
    """Kinds of value one step further in."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(part))
        return [] if field is None else _members(field.annotation)
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return _members(arguments[1])
    return _members(arguments[0]) if get_origin(kind) is tuple else []


def _members(kind: Any) -> list[Any]:
    if get_origin(kind) in (Union, types.UnionType):
        return [found for member in get_args(kind) for found in _members(member)]
    return [kind]


# -- what could be read, all the same ----------------------------------------------------------------------


def _readable(content: dict[str, Any]) -> Sections:
    """The sections of a file with mistakes, each as far as it can be read."""
    columns, unreadable = _columns(content.get("columns"))
    features = _mapping(content.get("features"))
    sources = content.get("transactions")
    sources = sources if isinstance(sources, list) else [sources]
    exclude = features.get("exclude")
    calendar = features.get("calendar")
    return Sections(
        columns=columns,
        unreadable=unreadable,
        transactions=tuple(source for item in sources if (source := _source(item)) is not None),
        labels=_pruned(Labels, content.get("labels")),
        calendar=tuple(map(str, calendar)) if isinstance(calendar, list) else (),
        behaviour=tuple(_groups(features.get("behaviour"))),
        exclude=tuple(map(str, exclude)) if isinstance(exclude, list) else (),
        validation=_pruned(Validation, content.get("validation", {})),
        training=_pruned(Training, content.get("training")),
        policy=_pruned(Policy, content.get("policy", {})),
        promotion=_pruned(Promotion, content.get("promotion", {})),
        notices=_pruned(Notices, content.get("notices"), compliance=_SOMEBODY, data_owner=_SOMEBODY),
        fairness=_pruned(Fairness, content.get("fairness", {})),
        retention=_pruned(Retention, content.get("retention", {})),
        compliance=_pruned(Compliance, content.get("compliance")),
        cases=_pruned(Cases, content.get("cases")),
        serving=_pruned(Serving, content.get("serving")),
        currency=content["currency"] if isinstance(content.get("currency"), str) else None,
        start=_moment(content.get("start")),
        end=_moment(content.get("end")),
    )


def _mapping(content: Any) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}


def _columns(content: Any) -> tuple[Mapping[str, Column], frozenset[str] | None]:
    """The columns, and the names of those without a role; one with a mistake elsewhere counts with what is right."""
    if not isinstance(content, dict):
        return {}, None
    found: dict[str, Column] = {}
    unreadable = set()
    for key, value in content.items():
        for name in expanded_names(str(key)) or [str(key)]:
            column = _pruned(Column, value)
            if column is None:
                unreadable.add(name)
            else:
                found[name] = column
    return found, frozenset(unreadable)


def _source(value: Any) -> Source | None:
    found = _pruned(Source, value)
    if found is not None or not isinstance(value, dict):
        return found
    return _pruned(Source, {"path": "*", "columns": value.get("columns", {})})


def _groups(content: Any) -> Iterator[tuple[int, EntityFeatures]]:
    for place, item in enumerate(content if isinstance(content, list) else []):
        group = _pruned(EntityFeatures, item)
        if group is not None:
            yield place, group


def _pruned(model: type[Model], content: Any, **instead: Any) -> Model | None:
    """A section without what is wrong in it; None where too little is left.

    Parameters
    ----------
    instead
        What takes the place of a key that is needed and wrong.
    """
    content = copy.deepcopy(content)
    for _ in range(_MOST_PRUNED):
        try:
            return model.model_validate(content)
        except ValidationError as error:
            wrong = [item["loc"][:-1] if item["type"] == "missing" else item["loc"] for item in error.errors()]
        cut = [_cut(content, [part for part in path if part not in _BRANCHES]) for path in wrong if path]
        if isinstance(content, dict):
            content = {**instead, **content}
        if not any(cut):
            return None
    return None


def _cut(content: Any, path: list[str | int]) -> bool:
    """Take the value at a path away; False where it is not there."""
    try:
        for part in path[:-1]:
            content = content[part]
        del content[path[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _moment(content: Any) -> datetime | None:
    try:
        return TypeAdapter(datetime).validate_python(content)
    except ValidationError:
        return None
