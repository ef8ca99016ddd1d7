"""What an evidence pack holds: plain data, with nothing of how it is found or shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fraudops.reports.evidence.expectations import ExpectationList

SCHEMA = "fraudops.evidence_pack"
SCHEMA_VERSION = 1
"""Goes up when a key is renamed or changes its meaning; new keys may come without."""

SECTIONS = {
    "card": "Model card",
    "results": "Validation results",
    "pictures": "Pictures",
    "gates": "Gates and verdict",
    "decision": "Who decided",
    "limitations": "Limitations",
    "segments": "Segments",
    "fairness": "Groups of customers",
    "features": "What the model sees",
    "explanation": "How scores are explained",
    "lineage": "Lineage",
    "ledger": "Ledger",
    "expectations": "What a validation file is expected to answer",
}
"""Name of a section → its heading, in the order of the page."""


@dataclass(frozen=True)
class SliceFacts:
    """Rows of one slice; moments in ISO form."""

    name: str
    purpose: str
    rows: int
    positives: int
    first: str | None
    last: str | None
    days: float


@dataclass(frozen=True)
class LabelFacts:
    """Where the labels of the data set came from: the feeds are kept apart."""

    feeds: dict[str, int]
    """``labels`` (chargebacks), ``dispositions``, ``transactions`` (the file's own column) → labels."""
    time: int
    """Genuine because nobody had said anything within the delay."""
    corrected: int
    """Those that had been said to be something else before."""
    changed_since: int
    """Those that are others by what had arrived when the pack was filed."""


@dataclass(frozen=True)
class Card:
    """What the model is, for whom, and what it was made from."""

    portfolio: str
    title: str
    owner: str
    version: str
    candidate: str
    description: str
    purpose: str
    materiality: str | None
    materiality_reason: str
    intended_use: str
    not_for: tuple[str, ...]
    estimator: str
    parameters: dict[str, Any]
    """Those that the portfolio states; all others are the code version's own."""
    facts: dict[str, Any]
    """What else the model says about itself: a blend's members, how a search went."""
    calibration: dict[str, Any]
    thresholds: dict[str, Any]
    as_of: str
    trained_until: str
    window: str
    label_delay: str
    split: str
    seed: int
    immature: int
    labels: LabelFacts
    slices: tuple[SliceFacts, ...]
    currency: str | None
    """None where transactions have no amount, or each its own currency."""
    minor_digits: int | None
    """None where transactions have no amount."""


@dataclass(frozen=True)
class Measured:
    """A number of one slice, with its 95 % interval where there is one."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ResultLine:
    """One measure; ``unit`` is ``share``, ``number``, ``count`` or ``money`` (minor units)."""

    key: str
    name: str
    unit: str
    validation: Measured
    test: Measured
    remark: str = ""


@dataclass(frozen=True)
class Results:
    """All that was measured on held-out rows."""

    lines: tuple[ResultLine, ...]
    measured: dict[str, Any]
    """Everything as it was registered, slice by slice."""


@dataclass(frozen=True)
class RollingLine:
    """One measure over several test windows."""

    measure: str
    mean: float
    deviation: float | None
    low: float
    high: float
    windows: int


@dataclass(frozen=True)
class Rolling:
    """A rolling evaluation of the version's candidate, trained anew for each window."""

    evaluation: str
    """Its folder under the portfolio's reports."""
    as_of: str
    lines: tuple[RollingLine, ...]


@dataclass(frozen=True)
class Picture:
    """A figure; the page holds it, the data its digest."""

    file: str
    title: str
    caption: str
    sha256: str


@dataclass(frozen=True)
class Verdict:
    """What a comparison found."""

    run_id: str
    """The training run, or the shadow run whose rows were compared."""
    outcome: str
    reason: str
    challenger: str
    is_challenger: bool
    """Whether it is about this version."""
    champion: str | None
    gates: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Decision:
    """A person's, or a policy's, word on the version."""

    what: str
    """``promoted``, ``rolled back to``, ``declined`` …"""
    by: str
    reason: str
    at: str
    effective_from: str | None
    ledger_number: int


@dataclass(frozen=True)
class FeatureFact:
    """One column that the model sees."""

    column: str
    declared: str
    kind: str
    """``transaction``, ``calendar`` or ``behaviour``."""
    missing: float
    """Share of the training rows without a value."""
    importance: float | None
    """Average precision lost when it is shuffled."""
    deviation: float | None


@dataclass(frozen=True)
class GroupLine:
    """Transactions of the test slice with one value in common."""

    group: str
    n: int
    frauds: int
    flagged: int
    selection_rate: Measured
    precision: Measured
    recall: Measured
    false_positive_rate: float | None
    selection_ratio: Measured | None
    """To the reference group, which has none."""
    selection_marked: bool
    false_positive_ratio: Measured | None
    false_positive_marked: bool


@dataclass(frozen=True)
class Grouping:
    """A column, and the rates of its groups; the first group is the reference."""

    column: str
    remark: str
    groups: tuple[GroupLine, ...]


@dataclass(frozen=True)
class Limitation:
    """Something that the numbers do not carry, and how it is seen."""

    what: str
    evidence: str


@dataclass(frozen=True)
class InputFacts:
    """Partitions of one dataset that the training read."""

    dataset: str
    partitions: int
    first: str
    last: str
    digest: str
    """Of the list of their digests."""


@dataclass(frozen=True)
class Lineage:
    """What the version was made from; every digest is SHA-256."""

    run_id: str
    artifact: str
    artifact_sha256: str
    dataset_sha256: str
    predictions_sha256: str
    inputs: tuple[InputFacts, ...]
    partitions: dict[str, str]
    """``<dataset>/<key>`` → digest of the data."""
    config: str
    """Of the sections of the portfolio's YAML that a data set depends on, as they were."""
    config_now: str
    """The same of the YAML from which this pack was written."""
    code: str
    environment: dict[str, Any] | None
    """None where the version was trained before it was recorded."""


@dataclass(frozen=True)
class LedgerLine:
    """An entry about the version or its run."""

    number: int
    at: str
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    digest: str
    previous: str


@dataclass(frozen=True)
class Pack:
    """All of it."""

    card: Card
    results: Results
    rolling: Rolling | None
    pictures: tuple[Picture, ...]
    verdict: Verdict | None
    """The newest."""
    earlier: tuple[Verdict, ...]
    decisions: tuple[Decision, ...]
    is_champion: bool
    limitations: tuple[Limitation, ...]
    segments: tuple[Grouping, ...]
    fairness: tuple[Grouping, ...]
    features: tuple[FeatureFact, ...]
    explanation: str
    """How contributions to a score are found, see :mod:`fraudops.explanation`."""
    lineage: Lineage
    ledger: tuple[LedgerLine, ...]
    expectations: ExpectationList | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values, with the schema's name and version."""
        content = asdict(self)
        if self.expectations is not None:
            content["expectations"]["in_force_from"] = self.expectations.in_force_from.isoformat()
        return {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **content}
