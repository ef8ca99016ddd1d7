"""Which Airflow user has which business role: ``include/roles.yaml``.

Airflow's own roles say who may press which button; these say who answers for what. A name that the file does not
have has no role, and nobody decides by default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from fraudops.errors import ConfigurationError
from fraudops.portfolio import Portfolio
from fraudops.portfolio.document import Document, read_document
from fraudops.portfolio.problems import PortfolioError, Problem, nearest
from fraudops.portfolio.strict import Strict

BusinessRole = Literal["model_validator", "data_scientist", "investigator", "compliance_officer", "platform_engineer"]
BUSINESS_ROLES: tuple[str, ...] = get_args(BusinessRole)
APPROVER: BusinessRole = "model_validator"
"""Who decides on promotions where a portfolio names nobody."""


class Person(Strict):
    """An Airflow user."""

    roles: tuple[BusinessRole, ...] = Field(min_length=1)
    id: str | None = None
    """How Airflow's auth manager knows the user; None: by the name."""


@dataclass(frozen=True)
class Approver:
    """Somebody who may decide on a promotion."""

    name: str
    id: str


class Roles(Strict):
    """The file's content."""

    users: dict[str, Person] = Field(default_factory=dict)

    @field_validator("users", mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        """``vera: [model_validator]`` stands for ``vera: {roles: [model_validator]}``."""
        if not isinstance(value, dict):
            return value
        return {name: {"roles": given} if isinstance(given, list) else given for name, given in value.items()}

    @model_validator(mode="after")
    def _names_tell_people_apart(self) -> Roles:
        seen: dict[str, str] = {}
        for name in self.users:
            if name in BUSINESS_ROLES:
                raise ValueError(f"{name!r} is a role, so no user can have this name")
            if name.casefold() in seen:
                raise ValueError(f"{seen[name.casefold()]!r} and {name!r} are one name but for capitals")
            seen[name.casefold()] = name
        return self

    def of(self, user: str) -> tuple[BusinessRole, ...]:
        """The roles of a user; none where the file does not name the user."""
        person = self.users.get(user)
        return person.roles if person else ()

    def holders(self, role: str) -> tuple[str, ...]:
        """Users who have a role, in the order of the file."""
        return tuple(name for name, person in self.users.items() if role in person.roles)

    def approvers(self, portfolio: Portfolio) -> tuple[Approver, ...]:
        """Who may decide on the portfolio's promotions, in the order of its YAML.

        Raises
        ------
        ConfigurationError
            A name is neither a role nor a user of the file, or nobody is left.
        """
        named = portfolio.promotion.approvers or (APPROVER,)
        where = f"{portfolio.name}.yaml: promotion.approvers"
        found = dict.fromkeys(user for name in named for user in self._meant_by(name, where))
        if not found:
            raise ConfigurationError(
                f"nobody may decide: no user has the role {' or '.join(named)}",
                where=where,
                remedy="give it to somebody in roles.yaml",
            )
        return tuple(Approver(name, self.users[name].id or name) for name in found)

    def _meant_by(self, name: str, where: str) -> tuple[str, ...]:
        if name in BUSINESS_ROLES:
            return self.holders(name)
        if name in self.users:
            return (name,)
        close = nearest(name, [*BUSINESS_ROLES, *self.users])
        hint = f"did you mean {close!r}? Else " if close else ""
        raise ConfigurationError(
            f"{name!r} is neither a role nor a user of roles.yaml",
            where=where,
            remedy=f"{hint}add the user there, or name one of the roles {', '.join(BUSINESS_ROLES)}",
        )


def read_roles(path: Path) -> Roles:
    """Read the file; where there is none, nobody has a role.

    Raises
    ------
    PortfolioError
        With every problem found, each with its line and value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Roles()
    except UnicodeDecodeError:
        raise ConfigurationError("not UTF-8 text", where=str(path), remedy="save the file as UTF-8") from None
    document = read_document(text)
    if document.problems:
        raise PortfolioError(document.problems, where=str(path))
    try:
        return Roles.model_validate(document.content)
    except ValidationError as error:
        raise PortfolioError(tuple(_problems(error, document)), where=str(path)) from None


def _problems(error: ValidationError, document: Document) -> Iterable[Problem]:
    for item in error.errors():
        path = tuple(part for part in item["loc"] if part != "roles" or isinstance(item["input"], dict))
        message = item["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        is_role = item["type"] == "literal_error"
        close = nearest(str(item["input"]), BUSINESS_ROLES) if is_role else None
        yield Problem(
            path,
            f"there is no role {item['input']!r}" if is_role else message,
            remedy=f"did you mean {close!r}?" if close else f"roles are {', '.join(BUSINESS_ROLES)}",
            line=document.line_of(path),
        )
