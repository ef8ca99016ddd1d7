"""Everything that is wrong with a file is told at once, each with its line, key, value and remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fraudops.errors import ConfigurationError
from fraudops.portfolio import PortfolioError, Problem, load_portfolio
from fraudops.training.checking import check_portfolio

GOOD = """\
name: shop
title: Shop
description: A shop
owner: me
transactions:
  path: "*.csv"
  columns: {amount: Amount}
columns:
  event_time: {role: time}
  amount: {role: amount}
  customer_id: {role: entity}
  pan: {role: card}
  holder: {role: personal}
  "V{1..3}": {role: number}
  label: {role: label}
labels: {delay: 7d}
features:
  calendar: [hour]
  behaviour:
    - {entity: customer, windows: [1d], aggregates: [count, amount_mean]}
training:
  candidates:
    logistic_regression: {estimator: logistic_regression, parameters: {C: 1}}
notices:
  compliance: [a@bank.example]
  data_owner: [b@bank.example]
"""

Check = Callable[..., list[Problem]]


@pytest.fixture
def problems(tmp_path: Path) -> Check:
    """What is wrong with the good file after some of its text was replaced."""

    def check(*changes: tuple[str, str]) -> list[Problem]:
        text = GOOD
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "shop.yaml"
        path.write_text(text)
        try:
            check_portfolio(path)
        except PortfolioError as error:
            return list(error.problems)
        return []

    return check


def test_the_file_that_the_others_are_made_from_is_right(problems: Check) -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "message", "remedy"),
    [
        ("title: Shop", "titel: Shop", 2, "titel", "no such key", "did you mean 'title'?"),
        ("delay: 7d", "delay: 7d, dely: 1d", 16, "labels.dely", "no such key", "did you mean 'delay'?"),
        ("role: entity", "role: entiy", 11, "columns.customer_id.role", "must be", "did you mean 'entity'?"),
        ("delay: 7d", "delay: a week", 16, "labels.delay", "'a week' is not a duration", None),
        ("amount: Amount", "amonut: Amount", 7, "transactions.columns.amonut", "none of our columns", "'amount'"),
        ("amount: Amount", "amount: 3", 7, "transactions.columns.amount", "a mapping", None),
        ('path: "*.csv"', 'path: "../x.csv"', 6, "transactions.path", "out of the landing folder", "below it"),
        ("entity: customer,", "entity: custmer,", 20, "features.behaviour[0].entity", "no entity", "'customer'"),
        ("entity: customer,", "entity: [customer, x],", 20, "features.behaviour[0].entity", "no entity 'x'", None),
        ("entity: customer,", "entity: [customer],", 20, "features.behaviour[0].entity", "names two entities", None),
        ("[count, amount_mean]", "[count, distinct]", 20, "features.behaviour[0].of", "none is named", "of: terminal"),
        ("entity: customer,", "entity: customer, of: pan,", 20, "features.behaviour[0].of", "none of", "distinct"),
        ("[count, amount_mean]", "[count, amount_men]", 20, "features.behaviour[0].aggregates[1]", "must be",
         "did you mean 'amount_mean'?"),
        ("windows: [1d], ", "", 20, "features.behaviour[0].windows", "but no windows", "such as"),
        ("  amount: {role: amount}\n", "", 19, "features.behaviour[0].aggregates", "no column has role", "take"),
        ("calendar: [hour]", "exclude: [V9]", 18, "features.exclude[0]", "no column 'V9'", "use one of"),
        ("  pan: {role: card}", "  hour: {role: number}", 12, "columns.hour", "a feature has the name", "another name"),
        ("  pan: {role: card}", "  score: {role: number}", 12, "columns.score", "reserved", "another name"),
        ("  pan: {role: card}", "  V2: {role: number}", 14, "columns.V{1..3}", "'V2' stands under", "out of one"),
        ("  pan: {role: card}", "  title: {role: time}", 12, "columns.title", "2 have role 'time'", "one at most"),
        ("  event_time: {role: time}\n", "", 8, "columns", "0 have role 'time'", "rows_per_day"),
        ("  label: {role: label}\n", "", 15, "labels", "says what was fraud", "role: label"),
        ("  pan: {role: card}", "  key: {role: id, join: [holder, x]}", 12, "columns.key.join", "in clear", "personal"),
        ("training:", "training:\n  schedule: daily", 22, "training.schedule", "not a cron", "0 3 * * 1"),
        ("training:", "training:\n  window: 7d", 22, "training.window", "not longer than labels.delay", "longer"),
        ("{C: 1}", "{C: 1, max_itr: 3}", 23, "training.candidates.logistic_regression.parameters.max_itr", "no such",
         "did you mean 'max_iter'?"),
        ("[a@bank.example]", "[nobody]", 25, "notices.compliance[0]", "not an e-mail address", "name@domain"),
        ("[a@bank.example]", "[]", 25, "notices.compliance", "nobody", "name one"),
        ("[b@bank.example]", "b@bank.example", 26, "notices.data_owner", "tuple", "[a, b]"),
        ("owner: me", "owner: me\ncurrency: euro", 5, "currency", "neither a currency", "EUR"),
        ("owner: me", "owner: me\nvalidation: {quarantined: 5}", 5, "validation.quarantined", "between 0 and 1", None),
        ("owner: me", "owner: me\npolicy: {costs: {review: -1, friction: 2}}", 5, "policy.costs.review", "greater",
         None),
        ("delay: 7d", "delay: 7d, dispositions: {path: x.csv}", 16, "labels.dispositions", "and there is none",
         "labels.source"),
        ("delay: 7d", "delay: 7d, unreported: unknown", 16, "labels.unreported", "of every transaction",
         "labels.source"),
        ("owner: me", "owner: me\npolicy: {thresholds: value}", 5, "policy.thresholds", "no costs", "use 'score'"),
        ("owner: me", "owner: me\nstart: 2024-01-01T00:00:00", 5, "start", "with its zone", "+00:00"),
        ("owner: me", "owner: me\npromotion: {gates: {segments: {columns: [V1]}}}", 5,
         "promotion.gates.segments.columns[0]", "no column 'V1' has role 'category'", None),
        ("owner: me", "owner: me\npromotion: {gates: {segments: {amount_bands: [9, 5]}}}", 5,
         "promotion.gates.segments.amount_bands", "must ascend", None),
        ("owner: me", "owner: me\npromotion: {gates: {recal_loss: 0}}", 5, "promotion.gates.recal_loss", "no such key",
         "did you mean 'recall_loss'?"),
        ("owner: me", "owner: me\nowner: you", 5, "owner", "stands here twice, first on line 4", "silently"),
        ("name: shop", "name: shops", 1, "name", "the file is called", "same name"),
    ],
)  # fmt: skip
def test_each_problem_has_its_line_its_key_and_a_remedy(
    problems: Check, old: str, new: str, line: int, key: str, message: str, remedy: str | None
) -> None:
    found = [problem for problem in problems((old, new)) if problem.key == key]
    assert len(found) == 1
    assert found[0].line == line
    assert message in found[0].message
    if remedy is not None:
        assert remedy in (found[0].remedy or "")


def test_costs_without_an_amount_are_refused(problems: Check) -> None:
    found = problems(
        ("  amount: {role: amount}\n", ""), ("owner: me", "owner: me\npolicy: {costs: {review: 1, friction: 2}}")
    )
    (problem,) = [problem for problem in found if problem.key == "policy.costs"]
    assert "no column has role 'amount'" in problem.message


def test_a_mistake_in_one_section_hides_none_in_another(problems: Check) -> None:
    found = problems(
        ("role: amount", "role: amount, minimum: x"),
        ("entity: customer,", "entity: custmer,"),
        ("delay: 7d", "delay: soon"),
        ("training:", "training:\n  schedule: daily\n  seed: x"),
        ("[a@bank.example]", "[nobody]"),
    )
    assert [problem.key for problem in found] == [
        "columns.amount.minimum", "labels.delay", "features.behaviour[0].entity", "training.schedule", "training.seed",
        "notices.compliance[0]",
    ]  # fmt: skip


def test_an_unreadable_role_makes_nothing_else_wrong(problems: Check) -> None:
    found = problems(("role: entity", "role: entiy"), ("{role: time}", "{role: tme}"))
    assert [problem.key for problem in found] == ["columns.event_time.role", "columns.customer_id.role"]


def test_a_protected_column_may_be_joined_into_a_protected_one(problems: Check) -> None:
    assert problems(("  pan: {role: card}", "  key: {role: personal, join: [holder, x]}")) == []


def test_a_wrong_range_is_told_once_and_not_for_each_of_its_columns(problems: Check) -> None:
    found = problems(('"V{1..3}": {role: number}', '"V{1..3}": {role: numbr}'))
    assert [problem.key for problem in found] == ["columns.V{1..3}.role"]
    assert [p.key for p in problems(("V{1..3}", "V{3..1}"))] == ["columns.V{3..1}"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: [1\nb: 2\n", 2, "not valid YAML: expected ',' or ']'"),
        ("a: 1\n\tb: 2\n", 2, "cannot start any token"),
        ("", None, "the file is empty"),
        ("- a\n", 1, "no mapping of keys to values"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(text)
    with pytest.raises(PortfolioError) as error:
        load_portfolio(path)
    (problem,) = error.value.problems
    assert problem.line == line
    assert message in problem.message


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes("name: größe".encode("cp1252"))
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_portfolio(path)


def test_what_is_compared_must_be_a_stored_column_and_no_name(problems: Check) -> None:
    section = "notices:", "fairness: {attributes: [V1, V9, holder, customer_id]}\nnotices:"
    found = problems(section)
    assert [(problem.key, problem.message) for problem in found] == [
        ("fairness.attributes[1]", "there is no column 'V9'"),
        ("fairness.attributes[2]", "'holder' has role 'personal'"),
        ("fairness.attributes[3]", "'customer_id' has role 'entity'"),
    ]


def test_what_a_portfolio_says_about_its_models_changes_no_digest(tmp_path: Path) -> None:
    digests = set()
    for section in ("", "model_card: {materiality: high, not_for: [credit]}\nfairness: {attributes: [V1]}\n"):
        path = tmp_path / "shop.yaml"
        path.write_text(section + GOOD)
        digests.add(load_portfolio(path).digest_of("columns", "features", "training"))
    assert len(digests) == 1


def test_bands_of_the_amount_need_an_amount(problems: Check) -> None:
    bands = ("owner: me", "owner: me\npromotion: {gates: {segments: {amount_bands: [9]}}}")
    assert problems(bands) == []
    found = problems(bands, ("  amount: {role: amount}", "  amount: {role: number}"))
    assert "promotion.gates.segments.amount_bands" in [problem.key for problem in found]
