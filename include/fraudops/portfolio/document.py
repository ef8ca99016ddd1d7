"""Reads YAML with the line of each key, and tells what PyYAML passes over: a key that stands there twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from fraudops.portfolio.problems import Path, Problem


@dataclass(frozen=True)
class Document:
    """A YAML file."""

    content: Any
    lines: dict[Path, int]
    """Line of each key and of each item of a list."""
    problems: tuple[Problem, ...]

    def line_of(self, path: Path) -> int | None:
        """Line of a key, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast, where PyYAML was built with libyaml; says less of what is wrong."""


def read_document(text: str) -> Document:
    """Parse YAML; what is wrong is among the problems, and the content is then None."""
    document = _read(text, FAST)
    return document if document.content is not None else _read(text, yaml.SafeLoader)


def _read(text: str, loader_class: type[yaml.SafeLoader]) -> Document:
    loader = loader_class(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Document(None, {}, (Problem((), "the file is empty"),))
        lines: dict[Path, int] = {}
        problems = list(_walk(node, (), lines))
        # Constructing resolves anchors and merges, so the nodes are looked at before.
        return Document(loader.construct_document(node), lines, tuple(problems))
    except yaml.YAMLError as error:
        return Document(None, {}, (_explain(error),))
    finally:
        loader.dispose()


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int]) -> Iterator[Problem]:
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in first and key.tag != "tag:yaml.org,2002:merge":
                yield Problem(
                    (*path, name), f"the key stands here twice, first on line {first[name]}", line=line,
                    remedy="keep one of them: YAML would silently take the last",
                )  # fmt: skip
            first.setdefault(name, line)
            lines[(*path, name)] = line
            yield from _walk(value, (*path, name), lines)
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            lines[(*path, place)] = item.start_mark.line + 1
            yield from _walk(item, (*path, place), lines)


def _explain(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None)
    told = f"not valid YAML: {what}" + (f" ({context})" if context else "")
    if mark is None:
        return Problem((), told)
    remedy = "check indentation, quotes and brackets there"
    if "\t" in str(what):
        remedy = "indent with spaces, not with tabs"
    return Problem((), f"{told}, column {mark.column + 1}", line=mark.line + 1, remedy=remedy)
