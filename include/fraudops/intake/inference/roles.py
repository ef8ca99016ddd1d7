"""What each column is for. Evidence decides; a name is a hint, and says which of two readings is the likelier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from fraudops.intake.inference.clocks import Clock, looks_like_moments, same_time
from fraudops.intake.inference.labelling import LabelFound, is_judgement, is_score
from fraudops.intake.inference.profiling import Kind, Profile
from fraudops.intake.inference.vocabulary import (
    AMOUNTS,
    BIRTH,
    CODES,
    IDS,
    MERCHANTS,
    NAMES_OF_PEOPLE,
    NUMBERS_OF_PEOPLE,
    OF_AMOUNTS,
    OF_TRANSACTION,
    OUTCOMES,
    OWNED,
    OWNERS,
    PLACES,
    SECRETS,
    WHOSE,
)
from fraudops.intake.tokens import tokenise
from fraudops.portfolio import Role

_CARD_SHARE = 0.5
"""One in ten random numbers passes the check digit: half of them passing is no accident."""
_FEW = 30
"""An entity has at least so many values; what has fewer is a category."""
_TRUTHS = ({"true", "false"}, {"t", "f"}, {"yes", "no"}, {"y", "n"}, {"on", "off"})

_IBAN = r"^[A-Z]{2}[0-9]{2} ?([A-Z0-9]{4} ?){2,7}[A-Z0-9]{0,4}$"
_EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
_PHONE = r"^[+(]?[0-9][0-9 ()/.-]{6,18}$"
_IP = r"^(\d{1,3}\.){3}\d{1,3}$|^[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){3,7}$"
_UUID = r"^[0-9A-Fa-f]{8}-?([0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}$|^[0-9a-f]{24,64}$"
_PERSON = r"^\p{L}[\p{L}'.-]*([ ,]+\p{L}[\p{L}'.-]*){0,4}$"


@dataclass(frozen=True)
class Choice:
    """What a column of the file is taken for."""

    profile: Profile
    role: Role
    reason: str
    unsure: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    """Keys of the portfolio's column beside its role."""
    exclude: str | None = None
    """Why a model must not see it."""
    behaves: bool = False
    """Whether it is worth measuring behaviour by."""

    @property
    def name(self) -> str:
        """What the file calls it."""
        return self.profile.name


def choose_roles(
    found: Sequence[Profile], clock: Clock | None, label: LabelFound | None, *, whole: bool
) -> tuple[list[Choice], list[str]]:
    """A role for every column that can be named, and sentences about those that cannot.

    Parameters
    ----------
    whole
        Whether the sample is the whole file: only then bounds and truths hold for all rows.
    """
    notes: list[str] = []
    usable = _nameable(found, notes)
    clock_columns = set(clock.columns) if clock else set()
    left = [p for p in usable if p.name not in clock_columns and (label is None or p.name != label.column)]
    choices: dict[str, Choice] = {}
    for profile in left:
        choice = _card(profile) or _account(profile) or _secret(profile) or _useless(profile)
        if choice is not None:
            choices[profile.name] = choice
    left = [profile for profile in left if profile.name not in choices]
    for finder in (_id, _amount):
        choice = finder(left, whole)
        if choice is not None:
            choices[choice.name] = choice
            left = [profile for profile in left if profile.name != choice.name]
    for profile in left:
        choices[profile.name] = (
            _second_clock(profile, clock) or _outcome(profile) or _personal(profile) or _rest(profile, whole=whole)
        )
    return [choices[profile.name] for profile in usable if profile.name in choices], notes


def _nameable(found: Sequence[Profile], notes: list[str]) -> list[Profile]:
    names = [profile.name for profile in found]
    usable = []
    for profile in found:
        if not profile.name:
            notes.append(f"column {profile.position + 1} has no name: passed over (it is most likely a row number)")
        elif names.count(profile.name) > 1:
            text = f"{profile.name!r} stands in the header {names.count(profile.name)} times: passed over; give each"
            notes.append(f"{text} a name of its own to use it")
        else:
            usable.append(profile)
    return usable


# -- what is of no use -------------------------------------------------------------------------------------


def _useless(profile: Profile) -> Choice | None:
    if profile.kind is Kind.NESTED:
        return Choice(profile, Role.IGNORE, f"holds {profile.raw.type}, not plain values")
    if profile.kind is Kind.EMPTY:
        return Choice(profile, Role.IGNORE, "always empty")
    if profile.distinct == 1 and not profile.missing:
        return Choice(profile, Role.IGNORE, "the same value in every row looked at")
    if _is_row_number(profile):
        return Choice(profile, Role.IGNORE, "a row number")
    return None


def _second_clock(profile: Profile, clock: Clock | None) -> Choice | None:
    if clock is None or not same_time(clock, profile):
        return None
    return Choice(profile, Role.IGNORE, f"says the same as {' + '.join(map(repr, clock.columns))}")


def _is_row_number(profile: Profile) -> bool:
    named = profile.name.casefold().startswith("unnamed") or set(profile.words) <= {"index", "row", "rownum", "idx"}
    counted = profile.kind is Kind.NUMBER and profile.is_whole and profile.is_unique
    return named and counted


def _secret(profile: Profile) -> Choice | None:
    if not set(profile.words) & SECRETS:
        return None
    return Choice(profile, Role.IGNORE, "a card's verification code: it may not be stored at all")


def _outcome(profile: Profile) -> Choice | None:
    """What is only known, or only filled in, once somebody has looked."""
    if profile.kind is Kind.MOMENT or looks_like_moments(profile):
        if set(profile.words) & BIRTH:
            return None
        told = "looks like an outcome: nobody knows it when the transaction happens" if _is_outcome(profile) else ""
        return Choice(profile, Role.IGNORE, told or "another date: only one column can be the time")
    if _is_outcome(profile):
        reason = "looks like an outcome: nobody knows it when the transaction happens"
        return Choice(profile, Role.IGNORE, reason, ("give it a role if it is known at once",))
    if is_judgement(profile):
        reason = "a flag, score or kind of fraud from elsewhere, not the label; it may give the answer away"
        return Choice(profile, Role.IGNORE, reason, ("number or boolean if it is known at once",))
    return None


def _is_outcome(profile: Profile) -> bool:
    return bool(set(profile.words) & OUTCOMES)


# -- cards, id, amount -------------------------------------------------------------------------------------


def _card(profile: Profile) -> Choice | None:
    if profile.kind not in (Kind.NUMBER, Kind.TEXT) or (profile.kind is Kind.NUMBER and not profile.is_whole):
        return None
    if profile.share(r"^[0-9][0-9 -]{10,22}$") < 0.9:
        return None
    values = pa.array(profile.some(), pa.string())
    cards = tokenise(values, b"only whether the check digit is right")
    valid = 1 - float(cards.invalid.mean())
    named = bool(set(profile.words) & {"card", "cc", "pan", "karte", "kartennr", "kreditkarte"})
    by_chance = len(values) < 10 and not (valid == 1 and len(values) >= 3)
    if valid >= _CARD_SHARE and (named or not by_chance):
        reason = f"{100 * valid:.3g} % are card numbers by length and check digit: stored as keyed tokens only"
        wrong = 1 - valid
        unsure = (f"{100 * wrong:.2g} % are not, and their rows go to quarantine",) if wrong > 0 else ()
        return Choice(profile, Role.CARD, reason, unsure, {"entity": "card"}, behaves=profile.repeats >= 1.2)
    if named and profile.share(r"^[0-9][0-9 -]{11,22}$") > 0.9:
        reason = f"named and shaped like card numbers, but only {100 * valid:.2g} % pass the check digit: kept apart"
        return Choice(profile, Role.PERSONAL, reason, ("entity measures behaviour by it, and stores it in clear",))
    return None


def _account(profile: Profile) -> Choice | None:
    """Account numbers that say so themselves: IBANs by their check digits, others by their name."""
    if profile.kind is Kind.TEXT and profile.share(_IBAN) >= 0.9:
        values = profile.some()
        valid = sum(_is_iban(value) for value in values) / len(values)
        if valid >= _CARD_SHARE:
            reason = f"{100 * valid:.3g} % are IBANs by their check digits: stored as keyed tokens only"
            return Choice(profile, Role.ACCOUNT, reason, (), {"entity": _whose_account(profile)}, behaves=True)
    named = bool(set(profile.words) & {"iban", "account", "acct", "konto", "kontonr"})
    if named and profile.kind in (Kind.NUMBER, Kind.TEXT) and profile.share(r"^[0-9]{8,34}$") >= 0.9:
        reason = "named and shaped like account numbers: stored as keyed tokens only"
        unsure = ("entity keeps them in clear, if they are ids that mean nothing elsewhere",)
        settings = {"entity": _whose_account(profile)}
        return Choice(profile, Role.ACCOUNT, reason, unsure, settings, behaves=profile.repeats >= 1.2)
    return None


def _is_iban(text: str) -> bool:
    """Check digits of ISO 13616: the number, its first four characters put last, leaves 1 modulo 97."""
    plain = text.replace(" ", "")
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _whose_account(profile: Profile) -> str:
    others = {"counterparty", "receiver", "beneficiary", "dest", "destination", "to", "recipient"}
    return "counterparty" if set(profile.words) & others else "account"


def _id(found: Sequence[Profile], whole: bool) -> Choice | None:
    rated = [(rating, profile) for profile in found if (rating := _id_rating(profile)) > 0]
    if not rated:
        return None
    profile = max(rated, key=lambda item: (item[0], -item[1].position))[1]
    others = [other.name for _, other in rated if other is not profile]
    rows = "the rows" if whole else "the rows looked at"
    unsure = [f"{', '.join(map(repr, others))} would do as well"] if others else []
    return Choice(profile, Role.ID, f"never empty, and different in all of {rows}", tuple(unsure))


def _id_rating(profile: Profile) -> float:
    if profile.kind not in (Kind.NUMBER, Kind.TEXT) or not profile.is_unique:
        return 0
    if profile.kind is Kind.NUMBER and not profile.is_whole:
        return 0
    named = set(profile.words)
    if named & WHOSE and not named & OF_TRANSACTION:
        return 0
    rating = 2.0 * bool(named & OF_TRANSACTION) * bool(named & IDS) + 1.0 * bool(named & IDS)
    if profile.kind is Kind.TEXT and profile.share(_UUID) > 0.95:
        rating += 1
    elif profile.kind is Kind.TEXT and profile.rows >= 100 and profile.share(r"^[\w:.#-]*\d[\w:.#-]*$") > 0.98:
        rating += 0.5
    if max(profile.share(_IP), profile.share(_EMAIL)) > 0.5 or named & {"time", "date", "seconds", "days"}:
        return 0
    return rating - 2.0 * bool(named & (NUMBERS_OF_PEOPLE | BIRTH | CODES - {"code"}))


def _amount(found: Sequence[Profile], whole: bool) -> Choice | None:
    rated = [(rating, profile) for profile in found if (rating := _amount_rating(profile)) > 0]
    if not rated:
        return None
    profile = max(rated, key=lambda item: (item[0], -item[1].position))[1]
    others = [other.name for _, other in rated if other is not profile]
    low, high = profile.bounds
    settings = {"minimum": 0} if whole and low >= 0 else {}
    unsure = [f"{', '.join(map(repr, others))} would do as well"] if others else []
    return Choice(profile, Role.AMOUNT, f"{low:,.2f} to {high:,.2f}", tuple(unsure), settings)


def _amount_rating(profile: Profile) -> float:
    if profile.kind is not Kind.NUMBER or profile.distinct < 10 or profile.missing > 0.005:
        return 0
    named = set(profile.words)
    known = named & OF_AMOUNTS
    if not named & AMOUNTS and profile.sign is None:
        return 0
    # "Amount in USD" is one; "intended balcon amount", "avg amount 7d", "amount limit" are something else.
    strange = len(named - known)
    rating = 2.0 * bool(named & {"amount", "amt", "betrag"}) + bool(named & AMOUNTS) + (profile.sign is not None)
    return rating + 0.5 * (not profile.is_whole) - 2.0 * strange


# -- personal data -----------------------------------------------------------------------------------------


def _personal(profile: Profile) -> Choice | None:
    named = set(profile.words)
    if profile.kind is Kind.MOMENT or (named & BIRTH and looks_like_moments(profile)):
        return Choice(profile, Role.PERSONAL, "a date of birth") if named & BIRTH else None
    if profile.kind is Kind.NUMBER:
        return _personal_number(profile)
    if profile.kind is not Kind.TEXT or _is_written_truth(profile):
        return None
    speaking = named <= NAMES_OF_PEOPLE | OWNERS | {"holder"} and named & NAMES_OF_PEOPLE and named != {"middle"}
    if speaking and profile.share(_PERSON) > 0.9:
        return Choice(profile, Role.PERSONAL, "reads like names of people")
    if profile.distinct < _FEW and profile.distinct < 0.5 * profile.given:
        return None
    if profile.share(_EMAIL) > 0.8:
        return Choice(profile, Role.PERSONAL, "e-mail addresses")
    if profile.share(_IP) > 0.9:
        return Choice(profile, Role.PERSONAL, "IP addresses", ("entity measures behaviour by it, stored in clear",))
    if named & {"phone", "mobile", "telephone", "tel", "telefon", "fax"} and profile.share(_PHONE) > 0.8:
        return Choice(profile, Role.PERSONAL, "telephone numbers")
    may_be_names = named & NAMES_OF_PEOPLE and not named & (MERCHANTS | {"product", "city", "bank", "item"})
    if may_be_names and profile.share(_PERSON) > 0.9:
        return Choice(profile, Role.PERSONAL, "reads like names of people")
    if named & PLACES and profile.share(r"\d") > 0.3 and profile.share(r"\p{L}{3}") > 0.8:
        return Choice(profile, Role.PERSONAL, "reads like addresses")
    if named & {"ssn", "passport"} and profile.share(r"\d") > 0.8:
        return Choice(profile, Role.PERSONAL, "numbers of people's papers")
    return None


def _personal_number(profile: Profile) -> Choice | None:
    named = set(profile.words)
    many = profile.distinct >= 100 and profile.distinct > 0.2 * profile.given
    called = named & {"phone", "mobile", "telephone", "tel", "telefon"} and profile.is_whole
    if called and many and profile.bounds[1] > 1e6:
        return Choice(profile, Role.PERSONAL, "telephone numbers")
    if named & {"ip"} and many and profile.bounds[1] > 1e8:
        return Choice(profile, Role.PERSONAL, "IP addresses", ("entity measures behaviour by it, stored in clear",))
    if named & {"ssn", "passport"} and many:
        return Choice(profile, Role.PERSONAL, "numbers of people's papers")
    return None


# -- the rest ----------------------------------------------------------------------------------------------


def _rest(profile: Profile, *, whole: bool) -> Choice:
    if profile.kind is Kind.TRUTH or _is_written_truth(profile):
        return Choice(profile, Role.BOOLEAN, f"{' or '.join(sorted(profile.values))}{_gaps(profile)}")
    entity = _entity(profile)
    if entity is not None:
        return entity
    if profile.kind is Kind.NUMBER:
        return _number(profile, whole=whole)
    return _text(profile)


def _is_written_truth(profile: Profile) -> bool:
    plain = {value.casefold() for value in profile.values}
    return profile.kind is Kind.TEXT and profile.is_complete and any(plain <= words for words in _TRUTHS)


def _entity(profile: Profile) -> Choice | None:
    named = set(profile.words)
    hinted = bool(_bare(named) & WHOSE) and not named & (CODES - {"code", "zip"}) - {"class"}
    if profile.distinct < _FEW or (profile.kind is Kind.NUMBER and not profile.is_whole):
        return None
    if profile.kind is Kind.NUMBER and hinted and not _names_somebody(profile):
        return None
    if not hinted and not _is_code(profile):
        return None
    return Choice(
        profile, Role.ENTITY, f"{profile.distinct:,} different, {_times(profile)}{_gaps(profile)}",
        () if hinted else ("category, if the values name a kind and not somebody",),
        behaves=profile.repeats >= 1.2,
    )  # fmt: skip


def _names_somebody(profile: Profile) -> bool:
    """Whether whole numbers are names: the column is called so, or its numbers lie far apart from each other."""
    named, (low, high) = set(profile.words), profile.bounds
    if named & (IDS | {"name", "account", "acct", "iban", "hash", "konto"}) or named <= WHOSE:
        return not named & {"age", "count", "since", "balance", "limit", "days", "months", "hours"}
    return low >= 0 and profile.distinct > 500 and high > 1000 and not named & {"age", "count", "balance", "limit"}


def _bare(named: set[str]) -> set[str]:
    """The words without the numbers at their ends: ``card1`` speaks of a card."""
    return {word.rstrip("0123456789") for word in named}


def _is_code(profile: Profile) -> bool:
    """Values such as C1231006815 that come back: neither words nor numbers."""
    if profile.kind is not Kind.TEXT or profile.distinct < 100 or profile.repeats < 1.2:
        return False
    return profile.share(r"^\S+$") > 0.98 and profile.share(r"\d.*\d") > 0.9 and profile.share(r"^[\w:.-]+$") > 0.98


def _number(profile: Profile, *, whole: bool) -> Choice:
    named, (low, high) = set(profile.words), profile.bounds
    if profile.is_complete and set(profile.number[np.isfinite(profile.number)]) <= {0.0, 1.0} and profile.distinct == 2:
        if whole:
            return Choice(profile, Role.BOOLEAN, f"0 or 1{_gaps(profile)}")
        return Choice(profile, Role.NUMBER, f"0 or 1 in the rows looked at{_gaps(profile)}")
    if profile.is_whole and _names_kinds(named):
        unsure = ("number, if their order means something",)
        return Choice(profile, Role.CATEGORY, f"{profile.distinct:,} codes{_gaps(profile)}", unsure)
    spread = f"{_figure(low)} to {_figure(high)}{_gaps(profile)}"
    if profile.is_unique and profile.is_whole and named & IDS:
        return Choice(profile, Role.IGNORE, "a number that names each row, beside the id or the like of one")
    unsure = ("a score of another system, or a past: exclude it if it is made with the outcome",)
    return Choice(profile, Role.NUMBER, spread, unsure if is_score(profile) else ())


def _names_kinds(named: set[str]) -> bool:
    """Whether whole numbers under such a name are names of kinds, and not quantities."""
    numbered = any(word[-1].isdigit() and word.rstrip("0123456789") in ("card", "addr", "address") for word in named)
    return numbered or bool(named & CODES and not named & {"pop", "population", "count", "age", "distance", "lat"})


def _text(profile: Profile) -> Choice:
    long = profile.share(r"^.{60}") > 0.2
    if profile.distinct > 0.7 * profile.given and profile.given > 50:
        told = "free text" if long or profile.share(r"\S\s+\S") > 0.5 else "a different text in nearly every row"
        return Choice(profile, Role.IGNORE, told, ("personal, if it names people", "entity, if it names somebody"))
    unsure: tuple[str, ...] = ()
    if set(profile.words) & {"zip", "zipcode", "plz", "postcode", "city", "job"} and profile.distinct > _FEW:
        unsure = ("together with other columns it may point at a person: personal keeps it from the model",)
    return Choice(profile, Role.CATEGORY, f"{profile.distinct:,} different{_gaps(profile)}", unsure)


def _times(profile: Profile) -> str:
    return "each once" if profile.repeats < 1.02 else f"each {profile.repeats:.3g} times in the rows looked at"


def _gaps(profile: Profile) -> str:
    return f", {100 * profile.missing:.2g} % missing" if profile.missing else ""


def _figure(value: float) -> str:
    return f"{value:.6g}"


# -- pairs -------------------------------------------------------------------------------------------------


def with_joined_pairs(choices: list[Choice]) -> list[Choice]:
    """Where ``Card`` is 0, 1, 2 within each ``User``, the two together name the card."""
    owners = [c for c in choices if c.role is Role.ENTITY and set(c.profile.words) & OWNERS]
    if not owners:
        return choices
    found = []
    for choice in choices:
        words = set(choice.profile.words)
        if (
            words & {"card", "account", "acct", "device", "wallet"}
            and words <= OWNED
            and _is_small_number(choice.profile)
        ):
            owner = min(owners, key=lambda item: item.profile.position)
            joined = owner.profile.given / max(1, _pairs(owner.profile, choice.profile))
            found.append(
                replace(
                    choice,
                    role=Role.ENTITY,
                    settings={"join": [owner.name, choice.name]},
                    behaves=joined >= 1.2,
                    reason=f"a number within each {owner.name!r}: the two together name it",
                    unsure=(),
                )
            )
        else:
            found.append(choice)
    return found


def _is_small_number(profile: Profile) -> bool:
    return profile.kind is Kind.NUMBER and profile.is_whole and profile.bounds[0] in (0, 1) and profile.distinct < 100


def _pairs(first: Profile, second: Profile) -> int:
    return len({(a, b) for a, b in zip(first.text.to_pylist(), second.text.to_pylist(), strict=True)})
