"""Who is looking: a logged-in Airflow user, with the business roles that ``include/roles.yaml`` gives this person.

Airflow mounts a plugin's application without any check of its own, and has no protection against requests that
another site makes in a user's name. Both checks stand here: :func:`signed_in` on the whole application, and
:func:`came_from_here` before whatever changes something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_view
from fastapi import Depends, HTTPException, Request
from fraudops.roles import BusinessRole, Roles, read_roles
from fraudops.settings import Settings

INVESTIGATOR: BusinessRole = "investigator"
OFFICER: BusinessRole = "compliance_officer"
VALIDATOR: BusinessRole = "model_validator"
ENGINEER: BusinessRole = "platform_engineer"

WORKERS = (INVESTIGATOR, OFFICER)
"""Who may see single alerts and work cases."""
CONTROLLERS = (OFFICER, VALIDATOR, ENGINEER)
"""Who may read the record of what everybody did."""

SPOKEN: dict[str, str] = {
    "investigator": "investigator",
    "compliance_officer": "compliance officer",
    "model_validator": "model validator",
    "data_scientist": "data scientist",
    "platform_engineer": "platform engineer",
}

_may_see_plugins = requires_access_view(AccessView.PLUGINS)


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in.

    Attributes
    ----------
    name
        As ``include/roles.yaml`` has it, else as Airflow has it; it goes into timelines and the ledger.
    roles
        What the person answers for; none: a viewer.
    everybody
        The whole file, which the library's functions ask for.
    """

    name: str
    roles: tuple[BusinessRole, ...]
    everybody: Roles

    def is_any(self, *roles: str) -> bool:
        """Whether the person has one of the roles; everybody where none is named."""
        return not roles or any(role in self.roles for role in roles)

    @property
    def spoken(self) -> str:
        """The roles, to read."""
        return ", ".join(SPOKEN[role] for role in self.roles) or "viewer"


def signed_in(request: Request, user: GetUserDep) -> Person:
    """Let through a user who is logged in and may see plugins: the rule by which Airflow shows the menu entry."""
    _may_see_plugins(request, user)
    return remember(request, recognised(user, read_roles(Settings.from_environment().roles)))


def recognised(user: BaseUser, roles: Roles) -> Person:
    """Who an Airflow user is: by the id that the file gives, else by the name."""
    by_id = {person.id: name for name, person in roles.users.items() if person.id}
    airflows = str(user.get_id())
    name = by_id.get(airflows, str(user.get_name()))
    entry = roles.users.get(name)
    is_another = entry is not None and entry.id is not None and entry.id != airflows
    return Person(name, () if is_another else roles.of(name), roles)


def remember(request: Request, person: Person) -> Person:
    """Keep who is looking with the request: every page says so."""
    request.state.person = person
    return person


PersonDep = Annotated[Person, Depends(signed_in)]


@cache
def needs(*roles: str) -> Callable[[Person], Person]:
    """A dependency that lets through only who has one of the roles.

    Used as ``Depends(needs(*WORKERS))`` on a router or a route.
    """

    def dependency(person: PersonDep) -> Person:
        if not person.is_any(*roles):
            raise HTTPException(403, f"It is for {_listed(roles)}. You are {person.name}: {person.spoken}.")
        return person

    return dependency


def came_from_here(request: Request) -> bool:
    """Whether a request that changes something comes from a page of this very origin.

    Browsers say so themselves (``Sec-Fetch-Site``, and ``Origin`` where they do not know it). A request with its own
    credential in the header cannot be made by another site in somebody's name.
    """
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == request.headers.get("host")


def _listed(roles: tuple[str, ...]) -> str:
    return " and ".join(f"{SPOKEN[role]}s" for role in roles)
