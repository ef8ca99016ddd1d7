"""The sections of Fraud Ops and their pages, and who finds which of them in the menu."""

from __future__ import annotations

from dataclasses import dataclass

from fraudops_airflow.web.access import CONTROLLERS, OFFICER, WORKERS, Person


@dataclass(frozen=True)
class Page:
    """An entry of a menu; ``roles``: who may open it (none: everybody)."""

    path: str
    label: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """An entry of the first menu, with its pages in the second one; it opens with the first that a person may open."""

    label: str
    pages: tuple[Page, ...]

    def open_to(self, person: Person) -> tuple[Page, ...]:
        """The pages that a person may open."""
        return tuple(page for page in self.pages if person.is_any(*page.roles))

    def holds(self, path: str) -> bool:
        """Whether a path is one of its pages, or below one."""
        return any(page.path == _first(path) for page in self.pages)


SECTIONS = (
    Section("Overview", (Page("", "Overview"), Page("notices", "Notices"), Page("storage", "Storage"))),
    Section("Cases", (Page("cases", "Cases", WORKERS), Page("alerts", "Alerts", WORKERS))),
    Section("Models", (Page("models", "Versions"), Page("reports", "Training reports"))),
    Section(
        "Drift and quality",
        (
            Page("monitoring", "Monitoring"),
            Page("validation", "Validation"),
            Page("quarantine", "Quarantine"),
        ),
    ),
    Section(
        "Compliance",
        (
            Page("compliance", "Rules"),
            Page("hits", "Hits", WORKERS),
            Page("filings", "Clocks and filings", (OFFICER,)),
            Page("packs", "Monthly packs"),
            Page("ledger", "Ledger", CONTROLLERS),
            Page("configuration", "Configuration"),
        ),
    ),
    Section("Runs", (Page("runs", "Runs"), Page("restated", "Restatements"))),
)


def menu(person: Person) -> tuple[tuple[Section, Page], ...]:
    """Sections that have something for the person, each with the page that it opens with."""
    return tuple((section, section.open_to(person)[0]) for section in SECTIONS if section.open_to(person))


def section_of(path: str) -> Section | None:
    """The section that a path below the application's own belongs to."""
    return next((section for section in SECTIONS if section.holds(path)), None)


def _first(path: str) -> str:
    return path.strip("/").split("/")[0]
