"""What the numbers of a pack do not carry: found by rules, each with what it was seen by.

To add a rule, write a generator over :class:`Seen` and put it into ``_RULES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fraudops.portfolio import Portfolio
from fraudops.reports.evidence.contents import Card, FeatureFact, Grouping, Limitation, Lineage, Results
from fraudops.training.splits import TEST, TRAIN, VALIDATION

ENOUGH_POSITIVES = 50
WIDE_INTERVAL = 0.1
FEW_FRAUDS = 10
MOSTLY_MISSING = 0.5
DOMINANT = 0.6
SHORT_DAYS = 14.0
REFIT = "calibrated_before_refit_on"
"""What a model that was fitted a second time says of itself."""
_NAMED = 8


@dataclass(frozen=True)
class Seen:
    """What the rules look at."""

    portfolio: Portfolio
    card: Card
    results: Results
    features: Sequence[FeatureFact]
    segments: Sequence[Grouping]
    fairness: Sequence[Grouping]
    lineage: Lineage
    weighted: bool
    """Whether rows of the test slice stand for others, whose labels decisions hid."""

    def positives(self, name: str) -> int:
        """Frauds in one slice."""
        return next((found.positives for found in self.card.slices if found.name == name), 0)


def limitations(seen: Seen) -> list[Limitation]:
    """All that the rules find, and what holds for every version."""
    return [found for rule in _RULES for found in rule(seen)]


def _positives(seen: Seen) -> Iterator[Limitation]:
    for name in (TRAIN, VALIDATION, TEST):
        count = seen.positives(name)
        if count < ENOUGH_POSITIVES:
            yield Limitation(f"Few frauds in the {name} slice", f"{count}; {ENOUGH_POSITIVES} or more say much more")


def _interval(seen: Seen) -> Iterator[Limitation]:
    found = next((line.test for line in seen.results.lines if line.key == "average_precision"), None)
    if found is None or found.value is None:
        yield Limitation("Average precision could not be measured", "the test slice has no fraud, or nothing else")
    elif found.low is not None and found.high is not None and found.high - found.low > WIDE_INTERVAL:
        yield Limitation(
            "Average precision is not known well",
            f"its 95 % interval on the test slice goes from {found.low:.3f} to {found.high:.3f}",
        )


def _calibration(seen: Seen) -> Iterator[Limitation]:
    expected = next((line.test.value for line in seen.results.lines if line.key == "expected"), None)
    happened = seen.positives(TEST)
    if expected and abs(happened - expected) > 3 * max(expected, 1.0) ** 0.5:
        yield Limitation(
            "Scores are not probabilities on the test slice",
            f"they add up to {expected:.1f} frauds and there were {happened}, more than three standard deviations off",
        )


def _split(seen: Seen) -> Iterator[Limitation]:
    if seen.card.split != "time":
        yield Limitation(
            "The split was random",
            "transactions of one card lie on both sides of it: the numbers are too good, and the version cannot "
            "be promoted",
        )
    days = next((found.days for found in seen.card.slices if found.name == TEST), 0.0)
    if seen.card.split == "time" and days < SHORT_DAYS:
        yield Limitation("The test slice is short", f"{days:.1f} days: weeks, months and seasons are not in it")


def _columns(seen: Seen) -> Iterator[Limitation]:
    empty = [fact for fact in seen.features if fact.missing > MOSTLY_MISSING]
    if empty:
        named = ", ".join(f"{fact.column} ({100 * fact.missing:.0f} %)" for fact in empty[:_NAMED])
        more = f" and {len(empty) - _NAMED} more" if len(empty) > _NAMED else ""
        yield Limitation(f"{len(empty)} of {len(seen.features)} columns are mostly missing", named + more)
    gone = [fact.column for fact in seen.features if fact.declared.startswith("no longer")]
    if gone:
        yield Limitation("The portfolio no longer declares columns that the model reads", ", ".join(gone[:_NAMED]))


def _reliance(seen: Seen) -> Iterator[Limitation]:
    weights = [(fact.importance, fact.column) for fact in seen.features if fact.importance and fact.importance > 0]
    total = sum(weight for weight, _ in weights)
    if len(weights) > 1 and weights[0][0] > DOMINANT * total:
        yield Limitation(
            "The model relies on one column",
            f"{weights[0][1]} has {100 * weights[0][0] / total:.0f} % of the importance of all; make sure that it "
            "does not know the answer",
        )


def _segments(seen: Seen) -> Iterator[Limitation]:
    thin = [
        f"{grouping.column} {group.group} ({group.frauds})"
        for grouping in (*seen.segments, *seen.fairness)
        for group in grouping.groups
        if group.frauds < FEW_FRAUDS
    ]
    if thin:
        more = f" and {len(thin) - _NAMED} more" if len(thin) > _NAMED else ""
        yield Limitation(
            f"Segments with fewer than {FEW_FRAUDS} frauds say little about recall", "; ".join(thin[:_NAMED]) + more
        )


def _stated(seen: Seen) -> Iterator[Limitation]:
    if seen.card.materiality is None:
        yield Limitation("No tier of materiality is stated", "model_card.materiality in the portfolio's YAML")
    if not seen.portfolio.fairness.attributes:
        yield Limitation(
            "It was not measured whether groups of customers are flagged more often than others",
            "fairness.attributes in the portfolio's YAML names none",
        )
    if not seen.portfolio.has_amount:
        yield Limitation("Nothing is measured in money", "transactions have no amount")


def _changes(seen: Seen) -> Iterator[Limitation]:
    if seen.lineage.config != seen.lineage.config_now:
        yield Limitation(
            "The portfolio's YAML has changed since the data set was made",
            "declarations and texts in this file are today's; the digests tell the two apart",
        )
    if seen.lineage.environment is None:
        yield Limitation("It was not recorded with which libraries the version was trained", "registered without")


def _weights(seen: Seen) -> Iterator[Limitation]:
    if seen.weighted:
        yield Limitation(
            "Segments and groups count transactions as they are",
            "where decisions hide labels the results weigh each row for what it stands for; these tables do not",
        )


def _second_fit(seen: Seen) -> Iterator[Limitation]:
    before = seen.card.facts.get(REFIT)
    if before is not None:
        yield Limitation(
            "Calibration and thresholds are older than the model",
            f"they were learned with a fit on {before['rows']:,} rows; the version was then fitted on "
            f"{seen.card.facts['rows']:,}, and on the test slice it was measured as it is",
        )


def _always(seen: Seen) -> Iterator[Limitation]:
    yield Limitation(
        "Labels are what was reported",
        f"a transaction counts as genuine {seen.card.label_delay} after it if nobody reported it; "
        f"{seen.card.immature:,} younger ones were left out",
    )
    yield Limitation(
        "A blocked payment is never reported", "where blocking was in force, frauds measured here are those that passed"
    )


_RULES: tuple[Callable[[Seen], Iterator[Limitation]], ...] = (
    _positives, _interval, _calibration, _split, _columns, _reliance, _segments, _stated, _changes, _weights,
    _second_fit, _always,
)  # fmt: skip
