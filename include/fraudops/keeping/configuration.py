"""That the configuration has changed, in the ledger: whatever lies in ``include/``, and what the portfolio says.

Files change outside of fraudops, in an editor or by a deployment, so that nobody tells the ledger. The first run that
sees other content does. What is there is read off the folder: roles, rules, clocks, the packages of code, and whatever
comes beside them one day.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry
from fraudops.portfolio import Portfolio
from fraudops.settings import Settings
from fraudops.store.digests import canonical_json, sha256_of
from fraudops.workspace import Workspace

CHANGED = "configuration_changed"
_IS_NO_CONTENT = frozenset({"__pycache__", ".DS_Store"})


def note_configuration(ws: Workspace, portfolio: Portfolio, settings: Settings, *, actor: str) -> list[str]:
    """Enter into the ledger which configuration files have other content than when they were last seen.

    The first time all of them are entered. Digests alone: an address in a file is nobody's business.

    Parameters
    ----------
    actor
        The run that has seen it; who changed a file the ledger cannot know.

    Returns
    -------
    list of str
        Subjects that were entered; empty where nothing has changed.
    """
    seen = {"portfolio": _sections(portfolio)}
    seen |= {name: parts for name, place in _places(settings).items() if (parts := _files(place))}
    if portfolio.compliance is None:
        seen.pop("rules", None)
    with ws.transaction() as session:
        known = _known(session, portfolio.name)
        changed = [name for name, parts in seen.items() if known.get(_subject(portfolio, name), {}) != parts]
    if not changed:
        return []
    with ws.transaction() as session:
        # Runs of one portfolio see a change at the same time; one of them says so.
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{CHANGED}/{portfolio.name}", 0))))
        known = _known(session, portfolio.name)
        entered = []
        for name in changed:
            subject = _subject(portfolio, name)
            if known.get(subject, {}) != seen[name]:
                _enter(ws, session, portfolio, subject, known.get(subject), seen[name], actor)
                entered.append(subject)
    return entered


# -- inside -------------------------------------------------------------------------------------------


def _enter(
    ws: Workspace,
    session: Session,
    portfolio: Portfolio,
    subject: str,
    before: Mapping[str, str] | None,
    after: Mapping[str, str],
    actor: str,
) -> None:
    old = before or {}
    ws.record(
        session,
        portfolio=portfolio.name,
        actor=actor,
        action=CHANGED,
        subject=subject,
        details={
            "before": None if before is None else _digest(before),
            "after": _digest(after),
            "changed": sorted(name for name in {*old, *after} if old.get(name) != after.get(name)),
            "parts": dict(after),
        },
    )


def _known(session: Session, portfolio: str) -> dict[str, dict[str, str]]:
    """Subject → the parts that its newest entry names."""
    found: dict[str, dict[str, str]] = {}
    entries = session.execute(
        select(LedgerEntry.subject, LedgerEntry.details["parts"])
        .where(LedgerEntry.portfolio == portfolio, LedgerEntry.action == CHANGED)
        .order_by(LedgerEntry.number)
    )
    for subject, parts in entries:
        found[subject] = parts
    return found


def _sections(portfolio: Portfolio) -> dict[str, str]:
    """Sections of the portfolio's YAML that say something else than by default, each with its digest."""
    content = portfolio.model_dump(mode="json", exclude_defaults=True)
    return {name: sha256_of(canonical_json(value)) for name, value in content.items()}


def _places(settings: Settings) -> dict[str, Path]:
    """What lies in ``include/`` but for the portfolios; by name, and where the settings have moved it."""
    include = settings.home / "include"
    found = {path.stem: path for path in sorted(include.glob("*")) if not path.name.endswith(".egg-info")}
    found |= {name: Path(getattr(settings, name)) for name in ("roles", "rules", "clocks")}
    found.pop(settings.portfolios.stem, None)
    return found


def _files(place: Path) -> dict[str, str]:
    """A file, or all of a folder, each with the digest of its bytes; of a package of code, one digest of each room."""
    if place.is_file():
        return {place.stem: sha256_of(place.read_bytes())}
    found = {
        path.relative_to(place): sha256_of(path.read_bytes())
        for path in sorted(place.rglob("*"))
        if path.is_file() and not _IS_NO_CONTENT.intersection(path.parts)
    }
    if not (place / "__init__.py").exists():
        return {path.with_suffix("").as_posix(): digest for path, digest in found.items()}
    rooms: dict[str, dict[str, str]] = {}
    for path, digest in found.items():
        rooms.setdefault(path.parts[0].removesuffix(".py"), {})[path.as_posix()] = digest
    return {room: _digest(files) for room, files in rooms.items()}


def _subject(portfolio: Portfolio, name: str) -> str:
    return f"{portfolio.name}/configuration/{name}"


def _digest(parts: Mapping[str, str]) -> str:
    return sha256_of(canonical_json(dict(parts)))
