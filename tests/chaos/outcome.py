"""What came of a life: every file of the store, every alert, notice, version and ledger entry; and how two differ.

What must differ is left out: moments at which a row was written; numbers that a rolled-back transaction used up, or
that an entry about an uncertain delivery has shifted; how many attempts a notice needed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
from fraudops.registry.gates import ONE_ROW, THOUSAND_ROWS

_ALERTS = """
    select portfolio, partition_key, transaction_id, event_time, amount_minor, currency, score, decision, route,
           reasons::text, explanation::text, as_of from alert
"""
_CASES = """
    select portfolio, subject_kind, subject, severity, priority, state, opened_key, opened_as_of,
           (select count(*) from case_item where case_id = case_file.id) as items from case_file
"""
_NOTICES = "select dedupe_key, kind, message_id, recipients::text, subject, state, text, as_of from notice"
_VERSIONS = "select portfolio, number, run_id, candidate, artifact_sha256, metrics::text from model_version"
_VERDICTS = "select portfolio, run_id, kind, outcome, reason, gates::text from verdict"
_PROMOTIONS = "select portfolio, kind, effective_from, approved_by, reason from promotion"
_LEDGER = "select portfolio, actor, action, subject, details from ledger"

_UNTOLD = frozenset({"notice_uncertain"})
"""Actions that a crash adds rightly."""
_NUMBERS = re.compile(r"(Alert no\.|ledger entry|ledger entries up to) \d+")
_SAYS_WHEN = ("evidence/", "reports/")
"""Areas whose files say when something was done, or how long it took."""
_MEASURED = frozenset({ONE_ROW, THOUSAND_ROWS})
"""Gates on speed: another run measures another one."""
_OF_THE_CHAIN = frozenset({"at", "digest", "previous"})
"""What another life's ledger entry has otherwise."""
_SHIFTED = frozenset({"attempt", "began", "events", "message_id"})
_NUMBERED = re.compile(r"/(correction|historic|late)/\d+$")
"""Keys of notices that bear a number of the ledger or the outbox."""


@dataclass(frozen=True)
class Outcome:
    """What there is.

    Attributes
    ----------
    files
        Path below the store → SHA-256.
    timeless
        The same of what says when something was done, without that: of JSON its content, else that it is there.
    left_over
        Temporary files of writers that died. Nobody reads them; retention removes them.
    rows
        Table → its rows, without what must differ.
    mails
        Key of a notice → how often it was delivered under its Message-ID.
    """

    files: dict[str, str]
    left_over: int
    rows: dict[str, Counter[str]]
    mails: Counter[str]
    timeless: dict[str, str] = field(default_factory=dict)


@dataclass
class Difference:
    """How a life differs from its twin."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def is_none(self) -> bool:
        """Whether they are equal."""
        return not (self.lost or self.doubled or self.other)

    def lines(self) -> Iterable[str]:
        """For a log."""
        for word, items in (("lost", self.lost), ("doubled", self.doubled), ("different", self.other)):
            yield from (f"{word}: {item}" for item in items[:6])


def read(store: Path, connection_string: str, maildir: Path) -> Outcome:
    """Read what there is."""
    files: dict[str, str] = {}
    timeless: dict[str, str] = {}
    left_over = 0
    for path in store.rglob("*"):
        if path.is_dir():
            continue
        if path.name.startswith("."):
            left_over += 1
        else:
            name, content = str(path.relative_to(store)), path.read_bytes()
            files[name] = hashlib.sha256(_without_file_times(name, content)).hexdigest()
            if name.startswith(_SAYS_WHEN):
                timeless[name] = _without_times(name, content)
    connection = psycopg2.connect(connection_string)
    try:
        with connection.cursor() as cursor:
            rows = {name: _rows(cursor, query) for name, query in _QUERIES.items()}
            cursor.execute("select message_id, dedupe_key from notice")
            keys = {message_id: _key(key) for message_id, key in cursor.fetchall()}
    finally:
        connection.close()
    # A Message-ID that no notice has stays one that the twin cannot have.
    return Outcome(files, left_over, rows, Counter(keys.get(found, found) for found in _message_ids(maildir)), timeless)


def compare(twin: Outcome, found: Outcome, *, is_own: bool = False) -> Difference:
    """What the life has less, more, and otherwise than its twin.

    Parameters
    ----------
    is_own
        It was lived from the beginning, and did not go on from a state of the twin: then evidence packs and reports
        are compared but for the moments, the digests of the ledger's chain and the speeds in them, and their pages
        and pictures, which are drawn from that, by their being there.
    """
    difference = Difference()
    difference.lost += sorted(twin.files.keys() - found.files.keys())
    difference.doubled += sorted(found.files.keys() - twin.files.keys())
    before, after = (one.files | one.timeless if is_own else one.files for one in (twin, found))
    difference.other += sorted(path for path in before.keys() & after.keys() if before[path] != after[path])
    for table, rows in twin.rows.items():
        theirs, ours = (_timeless(counted) if is_own else counted for counted in (rows, found.rows[table]))
        difference.lost += [f"{table}: {row[:300]}" for row in (theirs - ours).elements()]
        difference.doubled += [f"{table}: {row[:300]}" for row in (ours - theirs).elements()]
    difference.lost += [f"mail {name}" for name in sorted(twin.mails.keys() - found.mails.keys())]
    difference.doubled += [f"mail {name}" for name in sorted(found.mails.keys() - twin.mails.keys())]
    return difference


# -- inside ---------------------------------------------------------------------------------------------------


def _timeless(rows: Counter[str]) -> Counter[str]:
    """Rows without speeds, and without the digests of what says when something was done."""
    found: Counter[str] = Counter()
    for row, count in rows.items():
        content = json.loads(row)
        if "gates" in content:
            content["gates"] = _unmeasured(json.loads(content["gates"]))
        if content.get("action") == "evidence_filed":
            content["details"] = sorted(content["details"])
        found[json.dumps(content, sort_keys=True)] += count
    return found


def _without_file_times(name: str, content: bytes) -> bytes:
    """What `watch` remembers of the landing folder, without when files were written there; others as they are."""
    if not name.startswith("watch/"):
        return content
    files = json.loads(content)
    return json.dumps({file: seen | {"modified": 0} for file, seen in files.items()}, sort_keys=True).encode()


def _without_times(name: str, content: bytes) -> str:
    """What a file of evidence or of a report says apart from when and how fast, as text that can be compared."""
    return json.dumps(_unmeasured(json.loads(content)), sort_keys=True) if name.endswith(".json") else "there"


def _unmeasured(content: Any) -> Any:
    if isinstance(content, list):
        return [_unmeasured(item) for item in content]
    if not isinstance(content, dict):
        return content
    if content.get("name") in _MEASURED:
        return {name: value for name, value in content.items() if name not in ("measured", "value")}
    if {"previous", "digest", "action"} <= content.keys():
        content = {name: value for name, value in content.items() if name not in _OF_THE_CHAIN}
    return {name: _unmeasured(value) for name, value in content.items()}


def _rows(cursor: Any, query: str) -> Counter[str]:
    cursor.execute(query)
    return Counter(
        text
        for row in cursor.fetchall()
        if (text := _plain(dict(zip([c.name for c in cursor.description], row, strict=True))))
    )


def _plain(row: dict[str, Any]) -> str | None:
    if row.get("action") in _UNTOLD:
        return None
    if str(row.get("actor", "")).startswith("service:"):
        # Which workflow did it may differ: what a crash left half done `reconcile` finishes.
        row["actor"] = "service"
    details = row.get("details")
    if isinstance(details, dict):
        row["details"] = {name: value for name, value in details.items() if name not in _SHIFTED}
    subject = str(row.get("subject", ""))
    if "/notice/" in subject:
        # Its number; what it is about stands in the details.
        row["subject"] = subject.rpartition("/")[0]
    if "dedupe_key" in row:
        row["text"] = _NUMBERS.sub(r"\1 N", row["text"])
        if _key(row["dedupe_key"]) != row["dedupe_key"]:
            row["dedupe_key"], row["message_id"] = _key(row["dedupe_key"]), "follows from the key"
    return json.dumps(row, sort_keys=True, default=str)


_QUERIES = {
    "alert": _ALERTS,
    "case_file": _CASES,
    "notice": _NOTICES,
    "model_version": _VERSIONS,
    "verdict": _VERDICTS,
    "promotion": _PROMOTIONS,
    "ledger": _LEDGER,
}


def _key(key: str) -> str:
    return _NUMBERED.sub(r"/\1/N", key)


def _message_ids(maildir: Path) -> Iterable[str]:
    for path in [*(maildir / "new").glob("*"), *(maildir / "cur").glob("*")]:
        for line in path.read_text(errors="replace").splitlines():
            if line.lower().startswith("message-id:"):
                yield line.partition(":")[2].strip()
                break
