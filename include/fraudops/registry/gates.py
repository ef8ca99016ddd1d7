"""The gates between a challenger and the champion's place: from measured numbers to a verdict.

Nothing here reads a file or a table, so that every rule can be tried with a handful of numbers.

The verdict is

- **REJECT** where the challenger is shown to be unfit: below the baseline, no better than chance, or worse than
  the champion;
- **PROMOTE** where every gate that decides is passed: in particular the whole interval of the difference to the
  champion lies above zero, so that a tie, a statistical one too, keeps the champion;
- **HOLD** in every other case: undecided, and more frauds may decide it. Rows that the champion has not seen grow
  in number from week to week, so that a challenger that really is better gets its chance.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["PROMOTE", "HOLD", "REJECT"]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def signed(self) -> str:
        """With its sign, as differences are written."""
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True)
class Rows:
    """Held-out rows that something was measured on."""

    first: str | None
    """Key of the first partition they come from."""
    last: str | None
    n: int
    positives: int

    def __str__(self) -> str:
        if not self.n:
            return "no transactions"
        span = self.first if self.first == self.last else f"{self.first} to {self.last}"
        return f"{self.n:,} transactions of {span} with {_frauds(self.positives)}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


@dataclass(frozen=True)
class Gate:
    """One condition, what was measured, and whether it holds."""

    name: str
    value: float | str | None
    threshold: float | str | None
    passed: bool
    explanation: str
    interval: tuple[float, float] | None = None
    decides: bool = True
    """False: shown to the approver, but no verdict depends on it."""
    rows: Rows | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, as the verdict keeps it."""
        return {
            "name": self.name,
            "value": self.value,
            "interval": list(self.interval) if self.interval else None,
            "threshold": self.threshold,
            "passed": self.passed,
            "decides": self.decides,
            "explanation": self.explanation,
            "rows": self.rows.to_dict() if self.rows else None,
        }


@dataclass(frozen=True)
class AgainstChampion:
    """The champion and the challenger on the same rows, which neither has seen."""

    name: str
    """Such as ``v1 (random_forest)``."""
    trained_until: str
    rows: Rows
    tie: str | None = None
    """Why the two are the same, where they are."""
    obstacle: str | None = None
    """Why the champion cannot be scored on these rows, where it cannot."""
    difference: Estimate | None = None
    """Average precision of the challenger less the champion's; None where it could not be measured."""


@dataclass(frozen=True)
class AtBudget:
    """Precision among the transactions that the alert budget lets people look at."""

    k: int
    challenger: float
    other: float
    other_name: str
    rows: Rows


@dataclass(frozen=True)
class Evidence:
    """Everything the gates look at."""

    challenger: str
    """Such as ``v3 (lightgbm)``."""
    baseline: str
    is_baseline: bool
    split: str
    minimum_positives: int
    margin: float
    test: Rows
    average_precision: Estimate | None
    """The challenger's, on the test slice; None where it holds no fraud or nothing else."""
    over_baseline: Estimate | None
    """Its average precision less the baseline's, on the test slice."""
    champion: AgainstChampion | None
    at_budget: AtBudget | None


@dataclass(frozen=True)
class Judgement:
    """The verdict, in one word, in one sentence, and gate by gate."""

    outcome: Outcome
    reason: str
    gates: tuple[Gate, ...]


def judge(evidence: Evidence) -> Judgement:
    """Put the evidence to the gates."""
    gates = [_split(evidence), _floor_positives(evidence), _floor(evidence)]
    if evidence.champion is None:
        gates.append(_chance(evidence))
    else:
        gates += [_unseen(evidence, evidence.champion)]
        gates += [_not_worse(evidence, evidence.champion), _better(evidence, evidence.champion)]
    if evidence.at_budget is not None:
        gates.append(_budget(evidence, evidence.at_budget))
    outcome, reason = _decide(evidence, {gate.name: gate.passed for gate in gates})
    return Judgement(outcome, reason, tuple(gates))


# -- the gates ----------------------------------------------------------------------------------------

SPLIT = "split by time"
ENOUGH = "enough frauds to judge"
FLOOR = "not below the baseline"
CHANCE = "better than chance"
UNSEEN = "enough frauds that the champion has not seen"
NOT_WORSE = "not worse than the champion"
BETTER = "better than the champion"
BUDGET = "precision at the alert budget"


def _split(evidence: Evidence) -> Gate:
    return Gate(
        SPLIT,
        evidence.split,
        "time",
        evidence.split == "time",
        "A random split puts a card's later payments beside its earlier ones: its numbers are for comparison "
        "with published ones.",
    )


def _floor_positives(evidence: Evidence) -> Gate:
    return Gate(
        ENOUGH,
        evidence.test.positives,
        evidence.minimum_positives,
        evidence.test.positives >= evidence.minimum_positives and evidence.average_precision is not None,
        "Frauds in the test slice; with fewer, chance decides.",
        rows=evidence.test,
    )


def _floor(evidence: Evidence) -> Gate:
    difference = evidence.over_baseline
    name = f"the baseline {evidence.baseline}"
    if evidence.is_baseline:
        explanation = f"The challenger is {name} itself."
    else:
        explanation = f"Average precision less that of {name}, on the test slice; no model may ship below it."
    passed = evidence.is_baseline or (difference is not None and difference.value >= 0)
    return _difference_gate(FLOOR, difference, 0.0, passed, explanation, evidence.test)


def _chance(evidence: Evidence) -> Gate:
    found, rate = evidence.average_precision, _rate(evidence.test)
    return _difference_gate(
        CHANCE,
        found,
        rate,
        found is not None and found.low > rate,
        "Average precision on the test slice; its interval must lie above the share of frauds, which is what a "
        "random ranking reaches.",
        evidence.test,
    )


def _unseen(evidence: Evidence, champion: AgainstChampion) -> Gate:
    return Gate(
        UNSEEN,
        champion.rows.positives,
        evidence.minimum_positives,
        champion.rows.positives >= evidence.minimum_positives,
        f"Frauds of the test slice at or after {champion.trained_until}, until which {champion.name} was trained; "
        "earlier rows would flatter it.",
        rows=champion.rows,
    )


def _not_worse(evidence: Evidence, champion: AgainstChampion) -> Gate:
    difference = champion.difference
    return _difference_gate(
        NOT_WORSE,
        difference,
        -evidence.margin,
        difference is not None and difference.low > -evidence.margin,
        champion.obstacle
        or f"Average precision less that of {champion.name}, on the same rows; the whole interval must lie above "
        f"−{evidence.margin:g}.",
        champion.rows,
    )


def _better(evidence: Evidence, champion: AgainstChampion) -> Gate:
    difference = champion.difference
    return _difference_gate(
        BETTER,
        difference,
        0.0,
        difference is not None and champion.tie is None and difference.low > 0,
        champion.tie or "The same difference; the whole interval must lie above zero: a tie keeps the champion.",
        champion.rows,
    )


def _budget(evidence: Evidence, found: AtBudget) -> Gate:
    return Gate(
        BUDGET,
        found.challenger,
        found.other,
        found.challenger >= found.other,
        f"Share of frauds among the {found.k:,} highest scores, which is what the alert budget pays for; "
        f"threshold: {found.other_name}. For information.",
        decides=False,
        rows=found.rows,
    )


def _difference_gate(
    name: str, found: Estimate | None, threshold: float, passed: bool, explanation: str, rows: Rows
) -> Gate:
    return Gate(
        name,
        found.value if found else None,
        threshold,
        passed,
        explanation,
        interval=(found.low, found.high) if found else None,
        rows=rows,
    )


# -- the verdict --------------------------------------------------------------------------------------


def _decide(evidence: Evidence, passed: dict[str, bool]) -> tuple[Outcome, str]:
    if not passed[SPLIT]:
        return "HOLD", (
            f"{evidence.challenger} was trained on a random split, which leaks: its numbers serve for comparison "
            "with published ones and never lead to a promotion."
        )
    if evidence.champion is not None and evidence.champion.tie is not None:
        return "HOLD", f"{evidence.champion.tie[:-1]}: a tie keeps the champion."
    if not passed[ENOUGH] or evidence.average_precision is None:
        return "HOLD", (
            f"The test slice has {_frauds(evidence.test.positives)} and "
            f"{evidence.minimum_positives} are needed to judge {evidence.challenger}."
        )
    if not passed[FLOOR]:
        return "REJECT", (
            f"{evidence.challenger} lies below the baseline {evidence.baseline}: average precision "
            f"{evidence.over_baseline.signed if evidence.over_baseline else 'not measurable'} on {evidence.test}."
        )
    if evidence.champion is None:
        return _decide_first(evidence, evidence.average_precision, passed)
    return _decide_against(evidence, evidence.champion, passed)


def _decide_first(evidence: Evidence, found: Estimate, passed: dict[str, bool]) -> tuple[Outcome, str]:
    rate = _rate(evidence.test)
    measured = f"average precision {found} on {evidence.test}"
    if found.value <= rate:
        return "REJECT", f"{evidence.challenger} is no better than chance ({rate:.4f}): {measured}."
    if not passed[CHANCE]:
        return "HOLD", f"{evidence.challenger} cannot be told from chance ({rate:.4f}): {measured}."
    floor = "is the baseline"
    if not evidence.is_baseline:
        floor = "is not below the baseline"
        if evidence.over_baseline is not None:
            floor += f" {evidence.baseline} ({evidence.over_baseline.signed})"
    return "PROMOTE", f"{evidence.challenger} would be the first champion and {floor}: {measured}."


def _decide_against(evidence: Evidence, champion: AgainstChampion, passed: dict[str, bool]) -> tuple[Outcome, str]:
    if champion.obstacle is not None:
        return "HOLD", f"{champion.obstacle[:-1]}, so {evidence.challenger} cannot be compared with it."
    if not passed[UNSEEN] or champion.difference is None:
        return "HOLD", (
            f"Champion {champion.name} was trained until {champion.trained_until}; the test slice has "
            f"{_frauds(champion.rows.positives)} since then, and {evidence.minimum_positives} are needed to "
            f"compare {evidence.challenger} with it."
        )
    difference = champion.difference
    measured = f"average precision {difference.signed} on {champion.rows} that neither has seen"
    pair = f"{evidence.challenger} {{}} champion {champion.name}: {measured}."
    if difference.high < 0:
        return "REJECT", pair.format("is worse than")
    if not passed[NOT_WORSE]:
        return "HOLD", pair.format("may be worse than")
    if not passed[BETTER]:
        return "HOLD", pair.format("cannot be told from")
    return "PROMOTE", pair.format("is better than")


def _rate(rows: Rows) -> float:
    return rows.positives / rows.n if rows.n else 0.0


def _frauds(count: int) -> str:
    return "1 fraud" if count == 1 else f"{count:,} frauds"
