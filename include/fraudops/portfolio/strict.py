"""The base of everything that a portfolio's YAML is read into."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Refuses keys that it does not know, and never changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def given(self) -> dict[str, Any]:
        """Key → value, for those that have one."""
        return {name: value for name, value in self if value is not None}
