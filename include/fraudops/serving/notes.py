"""Small files by which a service that starts while the database is away knows what it needs; signed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from fraudops.store import canonical_json
from fraudops.store.files import put_whole

_PURPOSE = b"fraudops serving note\n"


@dataclass(frozen=True)
class Note:
    """One such file; whoever can write it but has no key of the ledger can make nobody believe it.

    Parameters
    ----------
    keys
        The ledger's, the oldest first: the newest signs, each of them counts.
    """

    path: Path
    keys: Sequence[bytes]

    def write(self, content: Any) -> None:
        """Put the content down, whole or not at all; the same content again writes nothing."""
        text = canonical_json(content)
        signed = canonical_json({"content": content, "signature": self._signature(self.keys[-1], text)})
        if self.path.is_file() and self.path.read_bytes() == signed:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        put_whole(UPath(self.path), signed)

    def read(self) -> Any | None:
        """The content; None where there is none, or none with a signature that counts."""
        try:
            found = json.loads(self.path.read_bytes())
            content, signature = found["content"], str(found["signature"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        text = canonical_json(content)
        counts = [hmac.compare_digest(signature, self._signature(key, text)) for key in self.keys]
        return content if any(counts) else None

    def _signature(self, key: bytes, text: bytes) -> str:
        return hmac.digest(key, _PURPOSE + self.path.name.encode() + b"\n" + text, "sha256").hex()
