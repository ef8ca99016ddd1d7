"""The manifest of a partition: written last, so that what has one is whole."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from fraudops import __version__
from fraudops.store.digests import canonical_json, sha256_of


class StoredFile(BaseModel):
    """One data file of a partition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rows: int
    bytes: int
    sha256: str


class Input(BaseModel):
    """Something the partition was computed from: another partition, or a model version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    key: str
    digest: str


class Manifest(BaseModel):
    """What a partition holds and what it was made from. Holds no wall-clock time: same inputs, same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = 1
    dataset: str
    portfolio: str
    key: str
    rows: int
    files: tuple[StoredFile, ...]
    columns: dict[str, str]
    """Column → Arrow type."""
    inputs: tuple[Input, ...] = ()
    config: str
    """Digest of the sections of the portfolio's YAML that the step depends on."""
    code: str = __version__
    facts: dict[str, Any] = Field(default_factory=dict)
    """Counts and other small facts of the step: quarantined rows, thresholds, the model's version."""
    # Left out where there is none: the bytes of all other manifests stay what they were.
    stands_for: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """Digest of the rows before the key of their tokens was changed: they are the same ones, under other tokens."""

    @property
    def data_digest(self) -> str:
        """Digest of the data alone: equal for equal rows, whoever wrote them, and whatever key their tokens have."""
        return self.stands_for or self.content_digest

    @property
    def content_digest(self) -> str:
        """Digest of the data as it lies there."""
        return sha256_of("\n".join(f.sha256 for f in self.files).encode())

    def to_bytes(self) -> bytes:
        """The canonical bytes that are stored."""
        return canonical_json(self.model_dump(mode="json")) + b"\n"

    def as_input(self) -> Input:
        """This partition as an input of another."""
        return Input(dataset=self.dataset, key=self.key, digest=self.data_digest)
