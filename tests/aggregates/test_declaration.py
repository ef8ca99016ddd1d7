"""Declaring an aggregate is all there is to do: it can be named, computed and documented."""

from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.aggregates import AGGREGATES, Unit, aggregate
from fraudops.portfolio import EntityFeatures
from pydantic import ValidationError

CHECKOUT = Path(__file__).resolve().parents[2]


def test_each_can_be_named_in_a_portfolio() -> None:
    group = EntityFeatures.model_validate({"entity": "customer", "windows": ["1d"], "aggregates": list(AGGREGATES)})
    assert group.aggregates == tuple(AGGREGATES)


def test_one_that_is_not_declared_cannot() -> None:
    with pytest.raises(ValidationError, match="amount_std"):
        EntityFeatures.model_validate({"entity": "customer", "windows": ["1d"], "aggregates": ["amount_sdt"]})


def test_a_name_is_declared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="'count' is declared twice"):

        @aggregate(Unit.COUNT, "again")
        def count(view: object, window: int) -> None:
            """Not the first of this name."""


def test_each_is_in_the_documentation() -> None:
    page = (CHECKOUT / "docs" / "features.md").read_text()
    for name, found in AGGREGATES.items():
        assert f"| `{name}` | {found.unit.value} |" in page, f"docs/features.md does not explain {name}"


def test_a_list_of_entities_is_kept_as_it_was_written() -> None:
    pair = EntityFeatures.model_validate({"entity": ["customer", "terminal"], "aggregates": ["is_new"]})
    assert (pair.entities, pair.label) == (("customer", "terminal"), "customer_terminal")
    assert pair.model_dump(mode="json")["entity"] == ["customer", "terminal"]
    one = EntityFeatures.model_validate({"entity": "customer", "aggregates": ["is_new"]})
    assert one.model_dump(mode="json", exclude_defaults=True) == {"entity": "customer", "aggregates": ["is_new"]}


@pytest.mark.parametrize("entity", [["customer"], [], ["customer", "customer"], 3, [1, 2]])
def test_anything_else_is_no_entity(entity: object) -> None:
    with pytest.raises(ValidationError, match="entity"):
        EntityFeatures.model_validate({"entity": entity, "aggregates": ["is_new"]})
