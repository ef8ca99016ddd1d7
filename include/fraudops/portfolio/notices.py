"""What a portfolio's YAML may say about its notices: who is written to, in which language, and how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from fraudops.portfolio.addresses import is_address
from fraudops.portfolio.durations import Duration, parse_duration
from fraudops.portfolio.problems import Path, Problem, choose_of
from fraudops.portfolio.strict import Strict

Language = Literal["en", "de"]
Severity = Literal["low", "medium", "high", "critical"]
_Key = Literal["low", "medium", "high", "critical", "any"]
KINDS = {
    "digest": "alerts of a partition",
    "immediate": "one alert, at once",
    "historic": "alerts of the past",
    "rule_hits": "hits of the rules in a partition",
    "historic_hits": "hits of the rules in the past",
    "clock_warning": "a review deadline that comes near, or is missed",
    "validation_failure": "a partition that validation stopped",
    "correction": "published partitions that have changed",
    "file_refused": "a file that could not be used",
    "late": "a partition that was not scored in time; notices that were not delivered in time",
    "verdict": "what the comparison of a challenger with the champion found",
    "promotion": "another champion",
    "promotion_overtaken": "a challenger that was not promoted, because the champion had changed",
    "model_refused": "a model's file that is not the one registered",
    "monitoring": "another status of monitoring",
    "restated": "what would be alerted today",
    "records_altered": "records that are not what was written",
    "ledger_head": "the end of the ledger, to keep, once a week",
    "monthly_report": "the pack of a month",
}
"""Kind of a notice → what it tells of."""


class Notices(Strict):
    """Who is written to, and how much the mail says."""

    compliance: tuple[str, ...]
    """Recipients of alert digests and of immediate notices."""
    data_owner: tuple[str, ...]
    """Recipients of validation failures."""
    model_owner: tuple[str, ...] = ()
    """Recipients of verdicts and promotions (default: compliance)."""
    need_to_know: tuple[str, ...] = ()
    """Recipients of warnings before a review deadline (default: compliance). Only who may know why there is one."""
    to: Mapping[str, Mapping[_Key, tuple[str, ...]]] = Field(default_factory=dict)
    """Kind of notice → severity (``low`` … ``critical``, or ``any``) → recipients, in place of the above. A list in
    place of the severities means any of them."""
    language: Language = "en"
    """In which people are written to."""
    languages: Mapping[str, Language] = Field(default_factory=dict)
    """Recipient → language, where it is another one."""
    sender: str = "fraudops@localhost"
    detail: Literal["full", "reference"] = "full"
    """``full``: transaction id, amount, time, decision, reasons. ``reference``: a number and a link."""
    immediate_limit: int = 5
    """At most this many immediate notices per partition; the digest names the rest."""
    historic_after: Duration | None = parse_duration("3d")
    """Alerts of a partition that was published more than this after a later one, in one load with it, before there
    was a champion, or by a backfill, are told of in one summary. Null: each has its own notices, however old."""
    uncertain: Literal["resend", "hold"] = "resend"
    """What happens to a notice of which nobody knows whether it was delivered."""
    attachments: Annotated[float, Field(ge=0, le=25)] = 8
    """Megabytes of files that one mail may bring; what does not fit is left in the store, and the mail says where.
    0: a mail brings none."""
    warn_after: Duration = timedelta(hours=1)
    """A notice that waits longer for its delivery is late: it is shown, recorded, and told once mail works again."""

    @field_validator("to", mode="before")
    @classmethod
    def _lists_are_for_any(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {kind: {"any": found} if isinstance(found, list | tuple) else found for kind, found in value.items()}

    def recipients_of(self, kind: str, severity: Severity, otherwise: Iterable[str]) -> tuple[str, ...]:
        """Who gets a notice.

        Parameters
        ----------
        otherwise
            Who gets it where ``to`` does not say.
        """
        chosen = self.to.get(kind, {})
        return tuple(chosen.get(severity) or chosen.get("any") or otherwise)

    def language_of(self, address: str) -> Language:
        """In which language a recipient is written to."""
        known = {name.casefold(): language for name, language in self.languages.items()}
        return known.get(address.strip().casefold(), self.language)

    @property
    def addresses(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Everybody who may be written to, each with the path of its key below ``notices``."""
        roles = ("compliance", "data_owner", "model_owner", "need_to_know")
        found: list[tuple[tuple[str | int, ...], str]] = [
            ((role, place), address) for role in roles for place, address in enumerate(getattr(self, role))
        ]
        for kind, lists in self.to.items():
            for severity, named in lists.items():
                found += [(("to", kind, severity, place), address) for place, address in enumerate(named)]
        return found


def incoherent_notices(notices: Notices) -> Iterator[Problem]:
    """What is wrong with who is written to."""
    for key in ("compliance", "data_owner"):
        if not getattr(notices, key):
            yield Problem(("notices", key), "nobody would be written to", remedy="name one, such as a@bank.example")
    addresses: list[tuple[Path, str]] = [(("notices", "sender"), notices.sender)]
    addresses += [(("notices", *path), text) for path, text in notices.addresses]
    for kind in notices.to:
        if kind not in KINDS:
            yield Problem(("notices", "to", kind), "no notice is of this kind", remedy=choose_of(kind, set(KINDS)))
    written_to = {text.strip().casefold() for _, text in notices.addresses}
    for address in notices.languages:
        if address.strip().casefold() not in written_to:
            yield Problem(("notices", "languages", address), "nobody of this address is written to")
    for path, text in addresses:
        if not is_address(text.strip()):
            remedy = "write it as name@domain, without a display name, in ASCII"
            yield Problem(path, "not an e-mail address", repr(text[:80]), remedy)
