"""The lines of a case's timeline, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fraudops.cases.states import spoken
from fraudops.cases.view import EventView


@dataclass(frozen=True)
class Line:
    """What happened.

    Attributes
    ----------
    kind
        As the library names it, for the mark beside the line.
    words
        In a sentence without its subject: ``proposed to close it as fraud``.
    text
        What the person wrote.
    """

    at: datetime
    by: str
    kind: str
    words: str
    text: str | None


def line_of(event: EventView) -> Line:
    """An event in words; one of a kind that this page does not know says its kind."""
    told = _WORDS.get(event.kind)
    words = told(event.details | {"by": event.by}) if told else event.kind.replace("_", " ")
    if event.kind in _TOLD_BY_WORDS:
        return Line(event.at, event.by, event.kind, words.replace("{text}", event.text or ""), None)
    return Line(event.at, event.by, event.kind, words, event.text)


def finding_words(finding: str | None) -> str:
    """``not_fraud`` → ``not fraud``."""
    return (finding or "").replace("_", " ")


# -- inside -------------------------------------------------------------------------------------------


def _items(details: Mapping[str, Any]) -> str:
    counts = Counter(kind for kind, _ in details.get("items", ()))
    named = " and ".join(f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in sorted(counts.items()))
    return f"{named} of {details['partition']}" if "partition" in details else named


def _assigned(details: Mapping[str, Any]) -> str:
    before, after = details.get("before"), details.get("after")
    if after is None:
        return f"gave it back, it was {before}'s"
    if after == details["by"]:
        return "took it" + (f", it was {before}'s" if before else "")
    return f"gave it to {after}" + (f", it was {before}'s" if before else "")


def _found(verb: str) -> Callable[[Mapping[str, Any]], str]:
    def words(details: Mapping[str, Any]) -> str:
        others = len(details.get("otherwise") or ())
        except_ = f", but {others} transaction{'' if others == 1 else 's'} otherwise" if others else ""
        as_proposed = f", as {details['proposed_by']} proposed" if "proposed_by" in details else ""
        return f"{verb} as {finding_words(details.get('finding'))}{except_}{as_proposed}"

    return words


def _escalated(details: Mapping[str, Any]) -> str:
    if "detected_on" not in details:
        return "escalated it"
    suspect = "a suspect is known" if details.get("suspect_known") else "no suspect is known"
    return f"escalated it: detected on {details['detected_on']}, {suspect}"


_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "opened": lambda details: f"opened it with {_items(details)}",
    "item_added": lambda details: f"added {_items(details)}",
    "assigned": _assigned,
    "state": lambda details: (
        f"moved it from {spoken(str(details.get('before')))} to {spoken(str(details.get('after')))}"
    ),
    "note": lambda _: "wrote",
    "attached": lambda details: "attached {text} (" + f"{details.get('size', 0):,} bytes)",
    "attachment_read": lambda _: "took out {text}",
    "exported": lambda _: "exported it",
    "looked_at": lambda _: "looked at personal data",
    "proposed": _found("proposed to close it"),
    "closed": _found("closed it"),
    "declined": lambda details: (
        f"declined to close it as {finding_words(details.get('finding'))}, which {details.get('proposed_by')} proposed"
    ),
    "proposal_withdrawn": lambda details: (
        f"took back {details.get('proposed_by')}'s proposal of {finding_words(details.get('finding'))}"
    ),
    "escalated": _escalated,
    "reopened": lambda details: f"reopened it, it was closed as {finding_words(details.get('finding'))}",
}
_TOLD_BY_WORDS = {"state", "attached", "attachment_read"}
"""Kinds whose text is part of the sentence, or says the same."""
