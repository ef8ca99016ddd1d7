"""Parts of a page that may fail alone: what cannot be read is said in its place, and the rest of the page stands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from fraudops.errors import FraudopsError

log = logging.getLogger(__name__)

T = TypeVar("T")
VERIFY = "'fraudops verify' says what is not as it was written; restore it from the backup"


@dataclass(frozen=True)
class Trouble:
    """Something that could not be read: which part of the page it was for, what is wrong, what to do."""

    about: str
    what: str
    remedy: str


@dataclass
class Attempts:
    """The parts of one page, and which of them failed.

    A database that does not answer is no such part: its errors pass, and the page says so as a whole.
    """

    troubles: list[Trouble] = field(default_factory=list)

    def at(self, about: str, read: Callable[[], T], otherwise: T) -> T:
        """What ``read`` returns, or ``otherwise`` where what is stored cannot be read."""
        try:
            return read()
        except FraudopsError as error:
            what = f"{error.where}: {error.what}" if error.where else error.what
            self.troubles.append(Trouble(about, what, error.remedy or VERIFY))
        except (ValueError, KeyError, TypeError, OSError) as error:
            # Its message may quote what is stored: it goes to the log alone.
            log.warning("fraud-ops: %s", about, exc_info=error)
            self.troubles.append(Trouble(about, "something that is stored cannot be read", VERIFY))
        return otherwise
