"""Keys and passwords of the local stack: made once, kept in a file that only its owner can read."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from fraudops.errors import ConfigurationError

USERS = {"admin": "admin", "validator": "user", "deputy": "user", "analyst": "viewer", "officer": "user"}
"""User → Airflow role. ``user`` is the least role that may answer an approval and start a run, as the compliance
officer does with the month's pack and the verification. The deputy decides where the validator asked for the training.
Their business roles are in ``include/roles.yaml``."""


class Secrets(BaseModel):
    """What must stay the same from one start to the next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_key: str
    """Key of the card-number tokens (hex; several with commas between them once it was rotated, as the other two):
    with another key the same card has another token."""
    ledger_key: str
    """Key that signs ledger entries."""
    fernet_key: str
    jwt_secret: str
    api_secret: str
    protection_key: str = ""
    """Key that encrypts attachments of cases; empty where an older installation had none."""
    passwords: dict[str, str]
    """Airflow user → password."""

    @classmethod
    def generate(cls) -> Secrets:
        """New random ones."""
        return cls(
            token_key=secrets.token_hex(32),
            ledger_key=secrets.token_hex(32),
            protection_key=secrets.token_hex(32),
            fernet_key=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            jwt_secret=secrets.token_urlsafe(48),
            api_secret=secrets.token_urlsafe(48),
            passwords={user: secrets.token_urlsafe(9) for user in USERS},
        )

    def completed(self) -> Secrets:
        """With the keys and passwords that an older installation did not know."""
        passwords = {user: self.passwords.get(user) or secrets.token_urlsafe(9) for user in USERS}
        protection_key = self.protection_key or secrets.token_hex(32)
        return self.model_copy(update={"passwords": self.passwords | passwords, "protection_key": protection_key})


def read_secrets(path: Path) -> Secrets | None:
    """The secrets of a file, or None where there is none.

    Raises
    ------
    ConfigurationError
        The file is damaged. It is never replaced silently: with a new token key every card would look new,
        and with a new ledger key no signature would hold.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return Secrets.model_validate_json(content)
    except ValidationError as error:
        raise ConfigurationError(
            f"the keys cannot be read ({error.error_count()} problems)",
            where=str(path),
            remedy="restore the file from a backup, or 'make reset' to start anew without the data",
        ) from None


def ensure_secrets(path: Path) -> Secrets:
    """The secrets of a file, made or completed first where they are not all there; raises as :func:`read_secrets`."""
    found = read_secrets(path)
    complete = found.completed() if found else Secrets.generate()
    if complete != found:
        write_private(path, complete.model_dump_json(indent=2) + "\n")
    return complete


def add_key(path: Path, known: Secrets, name: str) -> Secrets:
    """Add a new key behind those of a name; it lies in the file before anything is done with it.

    Parameters
    ----------
    name
        ``token_key``, ``ledger_key`` or ``protection_key``.
    """
    keys = [key for key in getattr(known, name).split(",") if key]
    found = known.model_copy(update={name: ",".join([*keys, secrets.token_hex(32)])})
    write_private(path, found.model_dump_json(indent=2) + "\n")
    return found


def write_passwords(path: Path, passwords: dict[str, str]) -> None:
    """Write the password file of Airflow's simple auth manager (which would otherwise make up its own)."""
    write_private(path, json.dumps(passwords) + "\n")


def write_private(path: Path, content: str) -> None:
    """Write a file whole, readable by its owner alone from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    partial.replace(path)
