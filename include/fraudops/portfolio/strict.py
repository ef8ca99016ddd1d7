"""The base of everything that a portfolio's YAML is read into."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Refuses keys that it does not know, and never changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
