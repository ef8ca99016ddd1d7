from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.errors import ConfigurationError
from fraudops.portfolio import Portfolio
from fraudops.roles import Approver, Roles, read_roles


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "roles.yaml"
    path.write_text(text)
    return path


def _with_approvers(portfolio: Portfolio, *names: str) -> Portfolio:
    return portfolio.model_copy(update={"promotion": portfolio.promotion.model_copy(update={"approvers": names})})


@pytest.fixture
def roles(tmp_path: Path) -> Roles:
    return read_roles(
        _file(
            tmp_path,
            "users:\n  vera: {id: '7', roles: [model_validator, investigator]}\n  otto: [model_validator]\n"
            "  dana: [data_scientist]\n",
        )
    )


def test_the_file_that_ships_gives_every_portfolio_an_approver(portfolios: dict[str, Portfolio]) -> None:
    shipped = read_roles(Path(__file__).resolve().parents[1] / "include" / "roles.yaml")
    for portfolio in portfolios.values():
        assert shipped.approvers(portfolio)


def test_approvers_are_named_by_role_or_by_user(roles: Roles, portfolios: dict[str, Portfolio]) -> None:
    cards = portfolios["cards"]
    by_role = roles.approvers(_with_approvers(cards, "model_validator"))
    assert by_role == (Approver("vera", "7"), Approver("otto", "otto"))
    assert roles.approvers(_with_approvers(cards, "dana", "model_validator", "otto")) == (
        Approver("dana", "dana"),
        *by_role,
    )


def test_where_a_portfolio_names_nobody_the_validators_decide(roles: Roles, portfolios: dict[str, Portfolio]) -> None:
    assert [a.name for a in roles.approvers(_with_approvers(portfolios["cards"]))] == ["vera", "otto"]


def test_a_name_that_nobody_knows_is_an_error_with_the_nearest_one(
    roles: Roles, portfolios: dict[str, Portfolio]
) -> None:
    with pytest.raises(ConfigurationError, match=r"cards.yaml: promotion.approvers: 'model_validater' is neither.*did"):
        roles.approvers(_with_approvers(portfolios["cards"], "model_validater"))


def test_a_role_that_nobody_has_leaves_nobody_to_decide(roles: Roles, portfolios: dict[str, Portfolio]) -> None:
    with pytest.raises(ConfigurationError, match="nobody may decide: no user has the role compliance_officer"):
        roles.approvers(_with_approvers(portfolios["cards"], "compliance_officer"))


def test_without_the_file_nobody_has_a_role(tmp_path: Path, portfolios: dict[str, Portfolio]) -> None:
    found = read_roles(tmp_path / "roles.yaml")
    assert found.of("admin") == ()
    with pytest.raises(ConfigurationError, match="nobody may decide: no user has the role model_validator"):
        found.approvers(portfolios["cards"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("users:\n  vera: [validator_of_models]\n", r"line 2, .*there is no role 'validator_of_models' → "),
        ("users:\n  vera: [model_validater]\n", r"did you mean 'model_validator'\?"),
        ("users:\n  vera: []\n", "at least 1 item"),
        ("users:\n  vera: [investigator]\n  vera: [model_validator]\n", "the key stands here twice, first on line 2"),
        ("users:\n  vera: [investigator]\n  Vera: [model_validator]\n", "one name but for capitals"),
        ("users:\n  model_validator: [investigator]\n", "is a role, so no user can have this name"),
        ("people:\n  vera: [investigator]\n", "people"),
        ("users: [vera\n", "not valid YAML"),
        ("", "the file is empty"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        read_roles(_file(tmp_path, text))
