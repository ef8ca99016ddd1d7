"""``fraudops rules``."""

from __future__ import annotations

from fraudops.cli.rules import app
from typer.testing import CliRunner


def told(*arguments: str) -> str:
    found = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.output
    return found.output


def test_the_list_has_the_numbers_of_its_day() -> None:
    assert "IR, KP, MM" in told("list", "--as-of", "2026-03-05")
    assert "IR, KP, MM" not in told("list", "--as-of", "2022-10-20")
    assert "unusual_country" not in told("list", "--as-of", "2019-01-01")
    assert "cash_over_threshold" not in told("list", "--as-of", "2026-03-05", "--jurisdiction", "EU")


def test_one_rule_says_what_it_is_for_and_where_its_numbers_come_from() -> None:
    found = told("show", "cash_over_threshold")
    assert all(text in found for text in ("one business day", "10000.00 USD", "31 CFR 1010.311", "2011-03-01"))


def test_what_is_wrong_is_an_error() -> None:
    for arguments in (("show", "nothing"), ("list", "--as-of", "tomorrow")):
        assert CliRunner().invoke(app, [*arguments]).exit_code != 0
