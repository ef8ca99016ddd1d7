"""The record of what was started: written before a process is relied upon, read by every later command."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fraudops.stack.ports import Ports
from fraudops.stack.processes import ProcessRecord
from fraudops.stack.secrets import write_private


class StackRecord(BaseModel):
    """Ports and processes. The ports survive ``down``, so that links in e-mails stay good."""

    model_config = ConfigDict(frozen=True)

    ports: Ports
    processes: dict[str, ProcessRecord] = Field(default_factory=dict)
    """Part of the stack → its first process."""

    def write(self, path: Path) -> None:
        """Write the record whole."""
        write_private(path, self.model_dump_json(indent=2) + "\n")


def read_record(path: Path) -> StackRecord | None:
    """The record, or None where there is none or it is damaged: processes are found without it too."""
    try:
        return StackRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, ValidationError):
        return None
