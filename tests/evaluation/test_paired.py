"""Two models on the same draws: exact where it can be, and right as often as it says where it cannot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from fraudops.evaluation.costs import CostModel, RowCosts
from fraudops.evaluation.paired import ROWS, Blocks, Comparison, compare
from fraudops.evaluation.ranking import average_precision
from fraudops.evaluation.resampling import expanded_percentiles, percentiles, simultaneous

COSTS = CostModel(review=300, friction=1_000)
SEEDS = range(200)


@dataclass(frozen=True, eq=False)
class Payments:
    """Simulated payments with the scores of two models."""

    label: np.ndarray
    scores: tuple[np.ndarray, np.ndarray]
    costs: tuple[RowCosts, RowCosts]
    segments: dict[str, np.ndarray]
    days: np.ndarray
    customers: np.ndarray

    def compared(self, kind: str, *, resamples: int = 200) -> Comparison:
        blocks = {"day": Blocks(days=self.days), "entity": Blocks(entities=self.customers), "row": ROWS}[kind]
        found = compare(
            self.label, *self.scores, k=25, blocks=blocks, costs=self.costs, segments=self.segments, resamples=resamples
        )
        assert found is not None
        assert found.unit == kind
        return found


def payments(seed: int, *, edge: float = 0.0, n: int = 1_500, frauds: int = 60) -> Payments:
    """Two models with independent errors; the first one sees frauds ``edge`` standard deviations more clearly.

    Frauds of one day, and of one customer, are harder or easier together, for both and for each of the two.
    """
    random = np.random.default_rng(seed)
    label = np.zeros(n, dtype=bool)
    label[random.permutation(n)[:frauds]] = True
    days, customers = np.arange(n) * 25 // n, random.integers(0, 300, n)
    amount = (100 * np.exp(random.normal(4, 1, n))).astype(np.int64)
    hard = 0.4 * random.normal(size=25)[days] + 0.4 * random.normal(size=300)[customers]
    scores, costs = [], []
    for quality in (2.2 + edge, 2.2):
        own = 0.3 * random.normal(size=25)[days]
        score = label * (quality + hard + own) + random.normal(size=n)
        decision = np.where(score >= np.sort(score)[-25], "review", "allow")
        scores.append(score)
        costs.append(RowCosts.of(label, decision, amount, COSTS))
    group = random.integers(0, 4, n)
    return Payments(
        label,
        (scores[0], scores[1]),
        (costs[0], costs[1]),
        {f"group {number}": group == number for number in range(4)},
        days,
        customers,
    )


def wins(found: Comparison) -> bool:
    """By either of two measures, each with the interval that holds for both."""
    assert found.savings is not None
    return any(difference.interval(0.975).low > 0 for difference in (found.average_precision, found.savings))


@pytest.mark.parametrize("kind", ["day", "entity", "row"])
def test_of_equal_models_one_wins_in_at_most_one_draw_of_twenty(kind: str) -> None:
    found = [payments(seed).compared(kind) for seed in SEEDS]
    assert np.mean([wins(one) for one in found]) <= 0.05
    # The intervals are not merely wide: on either side they miss as often as they may, within what chance explains.
    missed = np.mean([one.average_precision.interval(0.8).low > 0 for one in found])
    assert 0.05 <= missed <= 0.15


@pytest.mark.parametrize("kind", ["day", "entity", "row"])
def test_a_truly_better_model_is_found(kind: str) -> None:
    found = [payments(seed, edge=1.0).compared(kind) for seed in range(60)]
    assert np.mean([wins(one) for one in found]) >= 0.9


def test_four_equal_segments_rarely_raise_a_false_alarm() -> None:
    found = [payments(seed).compared("entity") for seed in SEEDS]
    alarms = [any(segment.interval.high < 0 for segment in one.segments) for one in found]
    assert np.mean(alarms) <= 0.05


def test_every_measure_is_what_a_plain_count_gives() -> None:
    made = payments(3)
    found = made.compared("row")
    label, (first, second) = made.label, made.scores
    top = [np.argsort(-score)[:25] for score in (first, second)]
    assert found.average_precision.first == pytest.approx(average_precision(label, first), abs=1e-12)
    assert found.average_precision.second == pytest.approx(average_precision(label, second), abs=1e-12)
    assert found.recall_at_k.value == pytest.approx((label[top[0]].sum() - label[top[1]].sum()) / label.sum())
    assert found.precision_at_k.first == pytest.approx(label[top[0]].mean())
    assert found.savings is not None
    assert found.savings.first == pytest.approx(float(made.costs[0].savings()[0]))
    held = made.segments["group 2"]
    segment = found.segments[2]
    assert segment.positives == (held & label).sum()
    assert segment.first == pytest.approx((held & label)[top[0]].sum() / segment.positives)


@pytest.mark.parametrize("kind", ["day", "entity", "row"])
def test_intervals_agree_with_a_plain_bootstrap(kind: str) -> None:
    made = payments(5, edge=0.4)
    found = made.compared(kind, resamples=600)
    random = np.random.default_rng(1)
    unit = {"day": made.days, "entity": made.customers, "row": np.arange(len(made.label))}[kind]
    rows_of = [np.flatnonzero(unit == number) for number in np.unique(unit)]
    plain = []
    for _ in range(600):
        rows = np.concatenate([rows_of[number] for number in random.integers(0, len(rows_of), len(rows_of))])
        label = made.label[rows]
        precisions = [average_precision(label, score[rows]) for score in made.scores]
        savings = [1 - c.decided[rows].sum() / min(c.allowing[rows].sum(), c.blocking[rows].sum()) for c in made.costs]
        plain.append([precisions[0] - precisions[1], savings[0] - savings[1]])
    assert found.savings is not None
    for difference, drawn in zip((found.average_precision, found.savings), np.array(plain).T, strict=True):
        ours = percentiles(difference.draws, 0.9)
        assert ours is not None
        assert [ours.low, ours.high] == pytest.approx(list(np.percentile(drawn, [5, 95])), abs=0.03)


def test_the_seed_decides_and_the_order_of_rows_does_not_change_the_numbers() -> None:
    made = payments(7)
    first, again = made.compared("row"), made.compared("row")
    assert first.average_precision.interval() == again.average_precision.interval()
    order = np.random.default_rng(0).permutation(len(made.label))
    turned = compare(made.label[order], *(score[order] for score in made.scores), k=25)
    assert turned is not None
    assert turned.average_precision.value == pytest.approx(first.average_precision.value, abs=1e-12)


def test_a_row_that_stands_for_three_counts_as_three() -> None:
    made = payments(9)
    weight = np.where(np.arange(len(made.label)) % 5 == 0, 3, 1)
    rows = np.repeat(np.arange(len(made.label)), weight)
    weighed = compare(
        made.label, *made.scores, k=25, costs=made.costs, segments=made.segments, weight=weight, resamples=50
    )
    repeated = compare(
        made.label[rows],
        *(score[rows] for score in made.scores),
        k=25,
        costs=(
            RowCosts(
                *(values[rows] for values in (made.costs[0].decided, made.costs[0].allowing, made.costs[0].blocking))
            ),
            RowCosts(
                *(values[rows] for values in (made.costs[1].decided, made.costs[1].allowing, made.costs[1].blocking))
            ),
        ),
        segments={name: held[rows] for name, held in made.segments.items()},
        resamples=50,
    )
    assert weighed is not None
    assert repeated is not None
    for measure in ("average_precision", "recall_at_k", "precision_at_k", "savings"):
        assert getattr(weighed, measure).value == pytest.approx(getattr(repeated, measure).value, abs=1e-9)
    assert [one.first for one in weighed.segments] == pytest.approx([one.first for one in repeated.segments])


def test_without_costs_nothing_is_measured_in_money() -> None:
    made = payments(7)
    found = compare(made.label, *made.scores, k=25)
    assert found is not None
    assert (found.savings, found.segments) == (None, ())


def test_scores_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="10 labels but 9 scores"):
        compare(np.arange(10) < 3, np.arange(10.0), np.arange(9.0), k=2)


def test_few_units_give_wider_intervals() -> None:
    values = np.random.default_rng(0).normal(size=4_000)
    few, many = (expanded_percentiles(values, 0.95, units) for units in (20, 10_000))
    plain = percentiles(values, 0.95)
    assert few is not None
    assert many is not None
    assert plain is not None
    assert few.low < many.low < 0 < many.high < few.high
    assert many.high == pytest.approx(plain.high, abs=0.02)


def test_intervals_for_many_at_once_are_wider_than_for_one_and_not_for_copies_of_one() -> None:
    random = np.random.default_rng(0)
    values, units = np.zeros(10), np.full(10, 10_000)
    apart = simultaneous(random.normal(size=(4_000, 10)), values, 0.95, units)[0]
    copies = simultaneous(np.repeat(random.normal(size=(4_000, 1)), 10, axis=1), values, 0.95, units)[0]
    assert copies.high == pytest.approx(1.96, abs=0.08)
    assert apart.high == pytest.approx(2.80, abs=0.12)
