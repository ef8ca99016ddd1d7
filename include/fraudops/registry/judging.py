"""From the gates to a verdict: one word, and one sentence with the numbers it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from fraudops.registry import gates as of
from fraudops.registry.evidence import AgainstChampion, Evidence, frauds
from fraudops.registry.gates import Gate, Outcome, all_gates, ways_to_win


@dataclass(frozen=True)
class Judgement:
    """The verdict, in one word, in one sentence, and gate by gate."""

    outcome: Outcome
    reason: str
    gates: tuple[Gate, ...]


def judge(evidence: Evidence) -> Judgement:
    """Put the evidence to the gates."""
    gates = all_gates(evidence)
    outcome, reason = _decide(evidence, {gate.name: gate for gate in gates})
    return Judgement(outcome, reason, tuple(gates))


def cannot_be_told_from_the_baseline(evidence: Evidence) -> bool:
    """Whether a challenger seems to lie below the baseline, and is not shown to."""
    found = evidence.over_baseline.average_precision.difference if evidence.over_baseline else None
    return not evidence.is_baseline and found is not None and found.value < 0 <= found.high


def _decide(evidence: Evidence, gates: dict[str, Gate]) -> tuple[Outcome, str]:
    champion = evidence.champion
    if not gates[of.SPLIT].passed:
        return "HOLD", (
            f"{evidence.challenger} was trained on a random split, which leaks: its numbers serve for comparison "
            "with published ones and never lead to a promotion."
        )
    if champion is not None and champion.tie is not None:
        return "HOLD", f"{champion.tie[:-1]}: a tie keeps the champion."
    if not gates[of.ENOUGH].passed:
        return "HOLD", (
            f"The test slice has {frauds(evidence.test.positives)} and "
            f"{evidence.minimum_positives} are needed to judge {evidence.challenger}."
        )
    floor = gates[of.FLOOR]
    if not floor.passed:
        return "REJECT" if floor.refuted else "HOLD", (
            f"{evidence.challenger} {'lies' if floor.refuted else 'may lie'} below the baseline {evidence.baseline}: "
            f"average precision {floor.measured} on {evidence.test}."
        )
    if champion is None:
        return _decide_first(evidence, gates)
    return _decide_against(evidence, champion, gates)


def _decide_first(evidence: Evidence, gates: dict[str, Gate]) -> tuple[Outcome, str]:
    chance, rate = gates[of.CHANCE], evidence.test.rate
    measured = f"average precision {chance.measured} on {evidence.test}"
    if chance.refuted:
        return "REJECT", f"{evidence.challenger} is no better than chance ({rate:.4f}): {measured}."
    if not chance.passed:
        return "HOLD", f"{evidence.challenger} cannot be told from chance ({rate:.4f}): {measured}."
    floor = "is the baseline"
    if not evidence.is_baseline:
        floor = f"is not below the baseline {evidence.baseline} ({gates[of.FLOOR].measured})"
    found = f"{evidence.challenger} would be the first champion and {floor}: {measured}"
    return _with_the_rest(found, gates, evidence.instead_of)


def _decide_against(evidence: Evidence, champion: AgainstChampion, gates: dict[str, Gate]) -> tuple[Outcome, str]:
    compared = champion.compared
    if champion.obstacle is not None:
        return "HOLD", f"{champion.obstacle[:-1]}, so {evidence.challenger} cannot be compared with it."
    if not gates[of.UNSEEN].passed or compared is None:
        return "HOLD", (
            f"Champion {champion.name} was trained until {champion.trained_until}; the test slice has "
            f"{frauds(champion.rows.positives)} since then, and {evidence.minimum_positives} are needed to "
            f"compare {evidence.challenger} with it."
        )
    where = f"on {champion.rows} that neither has seen"
    pair = f"{evidence.challenger} {{}} champion {champion.name}: average precision {{}} {where}"
    precision = compared.average_precision
    not_worse = gates[of.NOT_WORSE]
    if not not_worse.passed:
        found = "is worse than" if not_worse.refuted else "may be worse than"
        return "REJECT" if not_worse.refuted else "HOLD", f"{pair.format(found, precision.difference.signed)}."
    if gates[of.BETTER].passed:
        won = [way.name for way in ways_to_win(champion) if way.passed]
        if "average precision" in won:
            return _with_the_rest(pair.format("is better than", precision.together.signed), gates)
        saved = f"saves more than champion {champion.name} ({gates[of.BETTER].measured}) and finds no less"
        found = f"{evidence.challenger} {saved}: average precision {precision.difference.signed} {where}"
        return _with_the_rest(found, gates)
    if not_worse.refuted:
        return "REJECT", f"{pair.format('is worse than', precision.difference.signed)}."
    return _with_the_rest(pair.format("cannot be told from", precision.together.signed), gates)


def _with_the_rest(found: str, gates: dict[str, Gate], beside: str | None = None) -> tuple[Outcome, str]:
    """The finding, and what speaks against a promotion all the same."""
    failed = [gate for gate in gates.values() if gate.decides and not gate.passed]
    against = [gate for gate in failed if gate.name != of.BETTER]
    reason = f"{found}."
    if against:
        lines = "; ".join(f"{gate.name} ({gate.measured}; required: {gate.required})" for gate in against)
        reason = f"{found}; not passed: {lines}."
    if beside:
        reason = f"{reason} {beside}"
    if any(gate.refuted for gate in failed):
        return "REJECT", reason
    return ("HOLD" if failed else "PROMOTE"), reason
