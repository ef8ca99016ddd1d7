"""Lands files so that one that cannot be used as a whole does not keep the others out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from fraudops.errors import ConfigurationError, ConflictError, ContractError, IntegrityError
from fraudops.intake.files import named_files
from fraudops.intake.landing import land
from fraudops.intake.results import LandResult
from fraudops.intake.tokens import guard_token_key
from fraudops.intake.watching import State, conclude, digest_of, lying
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

_NOT_THE_FILE = (ConfigurationError, ConflictError, IntegrityError)
"""Contracts that the installation breaks: no file is to blame."""


@dataclass(frozen=True)
class Refused:
    """A file of which nothing was landed.

    Attributes
    ----------
    name
        Path below the portfolio's landing folder.
    sha256
        Of its bytes; empty where they could not be read.
    what, remedy
        What is wrong with it, and what its sender can do.
    """

    name: str
    sha256: str
    what: str
    remedy: str | None


def land_apart(
    ws: Workspace,
    portfolio: Portfolio,
    names: Sequence[str],
    *,
    first: str | None = None,
    last: str | None = None,
    corrections: bool = False,
) -> tuple[LandResult, list[Refused]]:
    """Land files of the landing folder; those that cannot be used as a whole are refused, the others landed.

    What became of each is noted, so that whoever watches the folder does not ask for it again.

    Parameters
    ----------
    names
        Paths below the portfolio's landing folder; first, last and corrections as in
        :func:`fraudops.intake.landing.land`.

    Raises
    ------
    ContractError
        Something is wrong with the installation: the token key is another one, the store was altered.
    FraudopsError
        A file changed while it was read; trying again helps.
    """
    guard_token_key(ws, portfolio)
    before = lying(ws, portfolio)

    def attempt(some: Sequence[str]) -> LandResult:
        return land(ws, portfolio, named_files(ws, portfolio, some), first=first, last=last, corrections=corrections)

    refused: list[Refused] = []
    try:
        results = [attempt(names)]
    except _NOT_THE_FILE:
        raise
    except ContractError:
        results = []
        for name in names:
            try:
                results.append(attempt([name]))
            except _NOT_THE_FILE:
                raise
            except ContractError as error:
                refused.append(Refused(name, digest_of(ws.landing / portfolio.name / name), error.what, error.remedy))
    outcomes: dict[str, State] = dict.fromkeys(names, "landed")
    conclude(ws, portfolio, outcomes | dict.fromkeys((found.name for found in refused), "refused"), before)
    return reduce(LandResult.and_then, results, NOTHING), refused


NOTHING = LandResult([], [], [], [], 0, 0, 0, 0, [], {})
"""Of a landing in which no file could be used."""
