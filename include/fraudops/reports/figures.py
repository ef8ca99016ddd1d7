"""The figures of a training report: which there are, what they are called, what they show."""

from __future__ import annotations

from dataclasses import dataclass

from fraudops.database import ModelVersion
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Figure:
    """A picture with its words."""

    file: str
    title: str
    caption: str
    png: bytes


def draw(ws: Workspace, model: ModelVersion, title: str) -> list[Figure]:
    """Draw all of them."""
    return []
