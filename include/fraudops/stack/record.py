"""The record of what was started: written before a process is relied upon, read by every later command."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fraudops.stack.ports import Ports
from fraudops.stack.processes import ProcessRecord
from fraudops.stack.secrets import write_private


class StackRecord(BaseModel):
    """Ports and processes. The ports survive ``down``, so that links in e-mails stay good."""

    model_config = ConfigDict(frozen=True)

    ports: Ports
    code: str = ""
    """Digest of the code that the processes were started with; see :func:`code_digest`."""
    processes: dict[str, ProcessRecord] = Field(default_factory=dict)
    """Part of the stack → its first process."""

    def write(self, path: Path) -> None:
        """Write the record whole."""
        write_private(path, self.model_dump_json(indent=2) + "\n")


def code_digest(home: Path) -> str:
    """Digest of the library, the Airflow layer and the plugins.

    The scheduler keeps them in memory for its tasks, so a process that was started before a change goes on
    with the old code.
    """
    digest = hashlib.sha256()
    files = (file for folder in ("include", "plugins") for file in (home / folder).rglob("*.py"))
    for file in sorted(files):
        digest.update(f"{file.relative_to(home)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def read_record(path: Path) -> StackRecord | None:
    """The record, or None where there is none or it is damaged: processes are found without it too."""
    try:
        return StackRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError, ValidationError):
        return None
