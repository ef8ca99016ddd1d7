"""The gates between a challenger and the champion's place: from measured numbers to a verdict.

Nothing here reads a file or a table, so that every rule can be tried with a handful of numbers. What each gate
protects against, and how its threshold is changed, is in docs/promotion.md.

The verdict is

- **REJECT** where the challenger is shown to be unfit: below the baseline, no better than chance, worse than the
  champion, or losing more than the portfolio allows;
- **PROMOTE** where every gate that decides is passed: in particular a whole interval of a difference to the champion
  lies above zero, so that a tie, a statistical one too, keeps the champion;
- **HOLD** in every other case: undecided, and more frauds may decide it. Rows that the champion has not seen grow
  in number from week to week, so that a challenger that really is better gets its chance.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from fraudops.registry.evidence import AgainstChampion, Calibration, Compared, Estimate, Evidence, Pair, Rows, Segment

Outcome = Literal["PROMOTE", "HOLD", "REJECT"]

SPLIT = "split by time"
ENOUGH = "enough frauds to judge"
FLOOR = "not below the baseline"
CHANCE = "better than chance"
UNSEEN = "enough frauds that the champion has not seen"
NOT_WORSE = "not worse than the champion"
BETTER = "better than the champion"
SAVINGS = "saves no less than the champion"
RECALL = "fraud found within the alert budget"
PRECISION = "precision within the alert budget"
SEGMENTS = "no segment loses"
RATIO = "as many frauds as expected"
SLOPE = "calibration slope"
ONE_ROW = "processor time of one transaction"
THOUSAND_ROWS = "processor time of a thousand transactions"
SIZE = "size of the model file"


@dataclass(frozen=True)
class Part:
    """One of several numbers that a gate rests on."""

    name: str
    measured: str
    value: float
    interval: tuple[float, float]
    passed: bool
    positives: int | None = None


@dataclass(frozen=True)
class Gate:
    """One condition, what was measured, and whether it holds."""

    name: str
    value: float | str | None
    threshold: float | str | None
    passed: bool
    measured: str
    """The value with its interval and unit, as people read it."""
    required: str
    """What would pass, as people read it."""
    explanation: str
    interval: tuple[float, float] | None = None
    decides: bool = True
    """False: shown to the approver, but no verdict depends on it."""
    refuted: bool = False
    """Not passed, and shown to be so: more frauds would not help."""
    rows: Rows | None = None
    parts: tuple[Part, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, as the verdict keeps it."""
        return {
            **asdict(self),
            "interval": list(self.interval) if self.interval else None,
            "rows": self.rows.to_dict() if self.rows else None,
            "parts": [{**asdict(part), "interval": list(part.interval)} for part in self.parts],
        }


def all_gates(evidence: Evidence) -> list[Gate]:
    """Every gate that this evidence can be put to, those that decide most first."""
    gates = [_split(evidence), _enough(evidence), _floor(evidence)]
    champion = evidence.champion
    if champion is None:
        gates.append(_chance(evidence))
        if evidence.over_baseline is not None:
            gates += _for_information(evidence, evidence.over_baseline)
    else:
        gates += [_unseen(evidence, champion), _not_worse(evidence, champion), _better(evidence, champion)]
        if champion.compared is not None:
            gates += _losses(evidence, champion, champion.compared)
    return [*gates, *_calibration(evidence), *_footprint(evidence)]


# -- before anything is compared ----------------------------------------------------------------------


def _split(evidence: Evidence) -> Gate:
    return Gate(
        SPLIT,
        evidence.split,
        "time",
        evidence.split == "time",
        measured=evidence.split,
        required="time",
        explanation="A random split puts a card's later payments beside its earlier ones: its numbers are for "
        "comparison with published ones.",
    )


def _enough(evidence: Evidence) -> Gate:
    return Gate(
        ENOUGH,
        evidence.test.positives,
        evidence.minimum_positives,
        evidence.test.positives >= evidence.minimum_positives and evidence.average_precision is not None,
        measured=f"{evidence.test.positives:,}",
        required=f"at least {evidence.minimum_positives:,}",
        explanation="Frauds in the test slice; with fewer, chance decides.",
        rows=evidence.test,
    )


def _unseen(evidence: Evidence, champion: AgainstChampion) -> Gate:
    return Gate(
        UNSEEN,
        champion.rows.positives,
        evidence.minimum_positives,
        champion.rows.positives >= evidence.minimum_positives,
        measured=f"{champion.rows.positives:,}",
        required=f"at least {evidence.minimum_positives:,}",
        explanation=f"Frauds of the test slice at or after {champion.trained_until}, until which {champion.name} was "
        "trained; earlier rows would flatter it.",
        rows=champion.rows,
    )


# -- how good it is -----------------------------------------------------------------------------------


def _floor(evidence: Evidence) -> Gate:
    name = f"the baseline {evidence.baseline}"
    if evidence.is_baseline:
        explanation = evidence.instead_of or f"The challenger is {name} itself."
        return Gate(FLOOR, None, 0.0, True, "is the baseline", "not below zero", explanation, rows=evidence.test)
    found = evidence.over_baseline.average_precision.difference if evidence.over_baseline else None
    return Gate(
        FLOOR,
        found.value if found else None,
        0.0,
        found is not None and found.value >= 0,
        measured=_signed(found),
        required="not below zero",
        explanation=f"Average precision less that of {name}, on the test slice; no model may ship below it. A whole "
        "interval below zero is a REJECT.",
        interval=_bounds(found),
        refuted=found is not None and found.high < 0,
        rows=evidence.test,
    )


def _chance(evidence: Evidence) -> Gate:
    found, rate = evidence.average_precision, evidence.test.rate
    return Gate(
        CHANCE,
        found.value if found else None,
        rate,
        found is not None and found.low > rate,
        measured=str(found) if found else "not measurable",
        required=f"interval above {rate:.4f}",
        explanation="Average precision on the test slice; the threshold is the share of frauds, which is what a random "
        "ranking reaches.",
        interval=_bounds(found),
        refuted=found is not None and found.value <= rate,
        rows=evidence.test,
    )


def _not_worse(evidence: Evidence, champion: AgainstChampion) -> Gate:
    found = champion.compared.average_precision.difference if champion.compared else None
    return Gate(
        NOT_WORSE,
        found.value if found else None,
        -evidence.margin,
        champion.tie is not None or (found is not None and found.low > -evidence.margin),
        measured=_signed(found),
        required=f"interval above {-evidence.margin:g}",
        explanation=champion.obstacle or f"Average precision less that of {champion.name}, on the same rows.",
        interval=_bounds(found),
        refuted=found is not None and found.high < 0,
        rows=champion.rows,
    )


def _better(evidence: Evidence, champion: AgainstChampion) -> Gate:
    ways = ways_to_win(champion)
    best = next((way for way in ways if way.passed), ways[0] if ways else None)
    passed = champion.tie is None and best is not None and best.passed
    what = "Average precision or savings" if len(ways) > 1 else "Average precision"
    return Gate(
        BETTER,
        best.value if best else None,
        0.0,
        passed,
        measured=best.measured if best else "not measurable",
        required="interval above 0" + (", for one of the two" if len(ways) > 1 else ""),
        explanation=champion.tie
        or f"{what} less that of {champion.name}: a tie keeps the champion."
        + (" Intervals hold for both at once: two ways to win are not two chances of luck." if len(ways) > 1 else ""),
        interval=best.interval if best else None,
        rows=champion.rows,
        parts=tuple(ways) if len(ways) > 1 else (),
    )


def ways_to_win(champion: AgainstChampion) -> list[Part]:
    """The measures by which a challenger may prove to be better, each with the interval that holds for all of them."""
    compared = champion.compared
    if compared is None:
        return []
    pairs = {"average precision": compared.average_precision, "savings": compared.savings}
    return [_way(name, pair) for name, pair in pairs.items() if pair is not None]


def _way(name: str, pair: Pair) -> Part:
    found = pair.together
    interval = (found.low, found.high)
    return Part(
        name, f"{found.signed} ({pair.challenger:.3f} for {pair.other:.3f})", found.value, interval, found.low > 0
    )


# -- what it must not lose ----------------------------------------------------------------------------


def _losses(evidence: Evidence, champion: AgainstChampion, compared: Compared) -> list[Gate]:
    gates, rows, name = evidence.gates, champion.rows, champion.name
    found = [_recall(compared, gates.recall_loss, rows, name), _precision(compared, rows, name)]
    if compared.savings is not None:
        found.insert(0, _savings(compared.savings, gates.savings_margin, rows, name))
    if compared.segments or compared.too_small:
        found.append(_segments(evidence, compared, rows, name))
    return found


def _for_information(evidence: Evidence, compared: Compared) -> list[Gate]:
    """Beside the baseline, where there is no champion to lose anything against."""
    rows, name = evidence.test, f"the baseline {evidence.baseline}"
    return [_recall(compared, None, rows, name), _precision(compared, rows, name)]


def _savings(pair: Pair, margin: float | None, rows: Rows, name: str) -> Gate:
    return _loss(
        SAVINGS,
        pair,
        margin,
        f"Savings (1 − cost / cost of doing without a model), {pair.challenger:.3f} less the {pair.other:.3f} of "
        f"{name}, each under its own thresholds.",
        rows,
    )


def _recall(compared: Compared, loss: float | None, rows: Rows, name: str) -> Gate:
    pair = compared.recall
    return _loss(
        RECALL,
        pair,
        loss,
        f"Share of the frauds among the {compared.k:,} highest scores, which is what the alert budget pays for: "
        f"{pair.challenger:.3f} less the {pair.other:.3f} of {name}. Intervals from {compared.drawn} drawn anew.",
        rows,
    )


def _precision(compared: Compared, rows: Rows, name: str) -> Gate:
    pair = compared.precision
    return _loss(
        PRECISION,
        pair,
        None,
        f"Share of frauds among the {compared.k:,} highest scores: {pair.challenger:.3f} less the {pair.other:.3f} of "
        f"{name}.",
        rows,
    )


def _loss(name: str, pair: Pair, allowed: float | None, explanation: str, rows: Rows) -> Gate:
    """A difference whose whole interval must lie above what may be lost."""
    found, threshold = pair.difference, -(allowed or 0.0)
    return Gate(
        name,
        found.value,
        threshold,
        found.low > threshold if allowed is not None else found.value >= 0,
        measured=found.signed,
        required=f"interval above {threshold:g}" if allowed is not None else "for information",
        explanation=explanation,
        interval=_bounds(found),
        decides=allowed is not None,
        refuted=allowed is not None and found.high < threshold,
        rows=rows,
    )


def _segments(evidence: Evidence, compared: Compared, rows: Rows, name: str) -> Gate:
    """A segment is held against the challenger where it is shown to lose, and seems to lose more than is allowed.

    Segments are small: to ask each to prove that it loses nothing would hold every challenger. And they are many:
    their intervals hold for all of them at once, so that one more column to look at makes no false alarm likelier.
    """
    allowed = evidence.gates.segments.loss
    threshold = -(allowed or 0.0)
    parts = tuple(_segment(segment, threshold) for segment in compared.segments)
    worst = min(compared.segments, key=lambda segment: segment.difference.value, default=None)
    lost = [part for part in parts if not part.passed]
    shown = lost[0] if lost else next((part for part in parts if worst is not None and part.name == worst.name), None)
    small = f" {compared.too_small} with fewer than {evidence.gates.segments.minimum_positives} frauds are not judged."
    return Gate(
        SEGMENTS,
        shown.value if shown else None,
        threshold,
        not lost,
        measured=f"{shown.name}: {shown.measured}" if shown else "no segment with enough frauds",
        required=f"no loss of more than {-threshold:g} that is more than chance",
        explanation=f"Share of a segment's frauds within the alert budget less that of {name}, in {len(parts)} "
        "segments; intervals hold for all of them at once." + (small if compared.too_small else ""),
        interval=shown.interval if shown else None,
        decides=allowed is not None,
        refuted=allowed is not None and any(part.interval[1] < threshold for part in lost),
        rows=rows,
        parts=parts,
    )


def _segment(segment: Segment, threshold: float) -> Part:
    found = segment.difference
    return Part(
        name=segment.name,
        measured=f"{found.signed} ({segment.challenger:.3f} for {segment.other:.3f})",
        value=found.value,
        interval=(found.low, found.high),
        passed=not (found.high < 0 and found.value < threshold),
        positives=segment.positives,
    )


# -- whether its probabilities hold, and what it takes ------------------------------------------------


def _calibration(evidence: Evidence) -> list[Gate]:
    found, limits = evidence.calibration, evidence.gates.calibration
    if found is None:
        return []
    theirs = (evidence.champion.calibration if evidence.champion else None) or _NO_CALIBRATION
    rows = evidence.champion.rows if evidence.champion else evidence.test
    promised = f"{found.observed:,.0f} happened, {found.expected:,.1f} were expected by the sum of the probabilities."
    shape = "Below 1: scores are too extreme; above 1: too timid."
    return [
        _near_one(RATIO, found.ratio, theirs.ratio, limits.factor, promised, rows),
        _near_one(SLOPE, found.slope, theirs.slope, limits.slope, shape, rows),
    ]


_NO_CALIBRATION = Calibration(0.0, 0, None, None)


def _near_one(
    name: str, found: Estimate | None, theirs: Estimate | None, factor: float | None, explanation: str, rows: Rows
) -> Gate:
    """A ratio that must not be shown to lie further from 1 than allowed, unless the champion's lies further still.

    The world changes its rate of fraud, and every model then misses it: to keep the older one would help nobody.
    """
    within = factor is None or found is None or (found.high >= 1 / factor and found.low <= factor)
    nearer = found is not None and theirs is not None and _off(found) <= _off(theirs)
    beside = f" The champion's is {theirs}." if theirs is not None else ""
    return Gate(
        name,
        found.value if found else None,
        factor,
        within or nearer,
        measured=str(found) if found else "not measurable",
        required=f"interval touches {1 / factor:.2f} to {factor:g}" if factor is not None else "for information",
        explanation=explanation + beside,
        interval=_bounds(found),
        decides=factor is not None,
        rows=rows,
    )


def _off(found: Estimate) -> float:
    """How far from 1, the same for a half and for two."""
    value = max(found.value, 1e-9)
    return max(value, 1 / value)


def _footprint(evidence: Evidence) -> list[Gate]:
    ours, theirs, limits = evidence.footprint, evidence.other_footprint, evidence.gates
    if ours is None:
        return []
    other = evidence.champion.name if evidence.champion else f"the baseline {evidence.baseline}"
    processor = "Median processor time, so that a busy machine decides nothing"
    size = "Of the file that would be put in use"
    return [
        _limited(
            ONE_ROW, ours.one_row_ms, "ms", limits.one_row_ms, processor, other, theirs.one_row_ms if theirs else None
        ),
        _limited(
            THOUSAND_ROWS,
            ours.thousand_rows_ms,
            "ms",
            limits.thousand_rows_ms,
            processor,
            other,
            theirs.thousand_rows_ms if theirs else None,
        ),
        _limited(SIZE, ours.size_mb, "MB", limits.size_mb, size, other, theirs.size_mb if theirs else None),
    ]


def _limited(
    name: str, value: float, unit: str, limit: float | None, explanation: str, other: str, theirs: float | None
) -> Gate:
    beside = "" if theirs is None else f"; of {other}: {theirs:.3g} {unit}"
    return Gate(
        name,
        value,
        limit,
        limit is None or value <= limit,
        measured=f"{value:.3g} {unit}",
        required="for information" if limit is None else f"at most {limit:g} {unit}",
        explanation=f"{explanation}{beside}.",
        decides=limit is not None,
        refuted=limit is not None and value > limit,
    )


def _signed(found: Estimate | None) -> str:
    return found.signed if found else "not measurable"


def _bounds(found: Estimate | None) -> tuple[float, float] | None:
    return (found.low, found.high) if found else None
