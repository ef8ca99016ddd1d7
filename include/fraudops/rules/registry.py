"""The rules there are: each YAML with the detector of the same name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from fraudops.errors import ConfigurationError
from fraudops.rules.definition import RuleDefinition, read_definition
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs, Needs
from fraudops.rules.numbers import Numbers
from fraudops.rules.rows import Mask

Detect = Callable[[Inputs, Numbers], Iterable[Hit]]
Suspects = Callable[[Inputs, Numbers], Mask]
Unusual = Callable[[Inputs, Numbers, Mask], Mask]


@dataclass(frozen=True)
class Rule:
    """A rule that can be run."""

    definition: RuleDefinition
    detect: Detect
    needs: Needs
    suspects: Suspects | None = None
    """Which accounts of the partition need a look at what lies before; None: all of them."""
    unusual: Unusual | None = None
    """Which of the suspects do more than is usual for them, and so still need it; None: all of them."""

    @property
    def id(self) -> str:
        """Its name."""
        return self.definition.id


def read_rules(folder: Path) -> dict[str, Rule]:
    """Every rule of a folder with its detector, by id, sorted.

    Raises
    ------
    ConfigurationError
        A YAML is wrong, or there is no detector of its name.
    """
    return {path.stem: _rule(path) for path in sorted(folder.glob("*.yaml"))}


def in_force(rules: Iterable[Rule], day: date, *, jurisdiction: str, off: Iterable[str] = ()) -> list[Rule]:
    """Rules that hold on a day in a jurisdiction, without those that a portfolio has switched off."""
    without = set(off)
    return [
        rule
        for rule in rules
        if rule.id not in without
        and rule.definition.jurisdiction in (jurisdiction, "any")
        and rule.definition.in_force(day)
    ]


def _rule(path: Path) -> Rule:
    definition = read_definition(path)
    name = f"fraudops.rules.detectors.{definition.id}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ConfigurationError(
            "there is no detector of this name",
            where=path.name,
            remedy=f"write include/fraudops/rules/detectors/{definition.id}.py (CONTRIBUTING.md, 'A rule')",
        ) from None
    optional = (getattr(module, name, None) for name in ("suspects", "unusual"))
    return Rule(definition, module.detect, module.NEEDS, *optional)
