"""Which column says what was fraud, and which of its texts mean it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fraudops.intake.inference.profiling import Kind, Profile
from fraudops.intake.inference.vocabulary import FRAUD, HISTORY, INVERTED, LABELS, MEANS_FRAUD, MEANS_GENUINE, NO_LABEL


@dataclass(frozen=True)
class LabelFound:
    """The column with the answer."""

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    """Empty where whatever is not positive is genuine."""
    share: float
    """Share of the sample's rows that are positive."""
    reason: str
    unsure: tuple[str, ...] = ()


def find_label(found: Sequence[Profile]) -> LabelFound | None:
    """The label of a sample, or None where no column speaks of fraud."""
    rated = [(rating, profile) for profile in found if (rating := _rating(profile)) >= 2]
    if not rated:
        return None
    profile = max(rated, key=lambda item: (item[0], item[1].position))[1]
    others = [other.name for rating, other in rated if other is not profile]
    return _read(profile, others)


def is_judgement(profile: Profile) -> bool:
    """Whether a column that is not the label says what somebody thought of the transaction: a flag, a kind of fraud."""
    named = set(profile.words)
    return bool(named & {"fraud", "fraudulent", "isfraud", "laundering", "flagged", "scenario"}) and not named & HISTORY


def is_score(profile: Profile) -> bool:
    """Whether a column looks like a score of another system, or like an entity's past."""
    named = set(profile.words)
    scored = bool(named & {"score", "prob", "probability", "risk"})
    return scored or bool(named & {"fraud", "fraudulent", "chargeback"} and named & HISTORY)


def _rating(profile: Profile) -> float:
    """How much speaks for a column; two is the least."""
    if profile.kind not in (Kind.NUMBER, Kind.TEXT, Kind.TRUTH) or not 2 <= profile.distinct <= 6:
        return 0
    named = set(profile.words)
    speaking = {value.casefold() for value in profile.values} & {"fraud", "fraudulent", "legit", "genuine", "illicit"}
    rating = 2.0 * bool(named & LABELS) + 2.0 * bool(named & FRAUD) + 2.0 * bool(speaking)
    rating += 0.5 * (profile.distinct == 2) - 1.0 * (profile.distinct > 3)
    rating += 0.5 * bool(_meaning(profile))
    rating += 0.3 * bool(named & {"label", "is", "found", "flag", "bool"}) * bool(rating >= 2)
    if named & INVERTED and profile.distinct == 2 and _meaning(profile):
        rating += 2
    return rating - 5.0 * bool(named & NO_LABEL)


def _meaning(profile: Profile) -> set[str]:
    return {value.casefold() for value in profile.values} & (MEANS_FRAUD | MEANS_GENUINE)


def _read(profile: Profile, others: list[str]) -> LabelFound:
    positive, unsure = _positive(profile)
    counts = dict(profile.counts)
    negative = tuple(value for value in profile.values if value not in positive)
    share = sum(counts[value] for value in positive) / max(1, profile.given)
    plain = {value.casefold().removesuffix(".0") for value in (*positive, *negative)}
    told = f"{_listed(positive)} in {100 * share:.3g} % of the rows"
    if plain == {"0", "1"} or profile.kind is Kind.TRUTH:
        # 1 and true, 0 and false stand for each other, and so do 1 and 1.0.
        positive = ("1",) if positive[0].casefold() in ("1", "1.0", "true") else ("0",)
        negative = ()
    if profile.missing:
        told += f", {100 * profile.missing:.3g} % without an answer"
    if others:
        unsure = [*unsure, f"{_listed(others)} would be a label as well"]
    if share > 0.5:
        unsure = [*unsure, "most rows are fraud under this reading: the other value may be the one that is meant"]
    return LabelFound(profile.name, positive, negative, share, told, tuple(unsure))


def _positive(profile: Profile) -> tuple[tuple[str, ...], list[str]]:
    values = profile.values
    said = [value for value in values if value.casefold() in MEANS_FRAUD]
    genuine = [value for value in values if value.casefold() in MEANS_GENUINE]
    if set(profile.words) & INVERTED and genuine and said:
        return tuple(genuine), ["the name says that the column marks what is genuine, so its opposite is taken"]
    if said and len(said) < len(values):
        return tuple(said), []
    if genuine and len(genuine) < len(values):
        rest = [value for value in values if value not in genuine]
        return tuple(rest), [] if len(rest) == 1 else [f"whatever is not {_listed(genuine)} is taken as fraud"]
    rarest = values[-1]
    return (rarest,), [f"{rarest!r} is taken as fraud because it is the rarer one"]


def _listed(values: Sequence[str]) -> str:
    return ", ".join(repr(value) for value in values)
