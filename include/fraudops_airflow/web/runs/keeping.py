"""What will happen when somebody asks the store what is undone, for a month's pack, or whether all is unaltered."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from fraudops.errors import ContractError
from fraudops.settings import Settings

from fraudops_airflow.web.runs.asked import Field
from fraudops_airflow.web.runs.plan import Plan, Scene, Sentence, Start, counted, says

LISTED = 8
"""Partitions that a sentence names."""
ONE_IN = 30


def no_fields(scene: Scene) -> list[Field]:
    """Nothing to fill in."""
    return []


def reconcile(scene: Scene) -> Plan:
    """One run of ``reconcile``."""
    # Imported here: the room brings the scoring libraries, which most pages do not need.
    from fraudops.decisions.pending import pending_keys, stale_keys
    from fraudops.decisions.unfinished import unfinished_keys

    ws, portfolio = scene.archive.workspace, scene.portfolio
    pending, stale = pending_keys(ws, portfolio), stale_keys(ws, portfolio)
    unfinished = [key for key in unfinished_keys(ws, portfolio) if key not in stale]
    waits = [key for key in pending if scene.days.model(key) == "pending"]
    due = [key for key in pending if key not in waits]
    return Plan(
        sentences=says(
            f"One run of {portfolio.dag_id('reconcile')}.",
            _listed(due, "has no score, and gets one", "have no score, and get one"),
            _listed(stale, "was scored from what has changed since, and is scored again",
                    "were scored from what has changed since, and are scored again"),
            _listed(unfinished, "was left half done, and is finished", "were left half done, and are finished"),
            Sentence(f"{counted(len(waits), 'partition')} wait for a champion, and go on waiting.", "wait")
            if waits
            else None,
            None if due or stale or unfinished else "No partition lacks a score: there is nothing to score.",
            "It also monitors what nobody has looked at, runs rules that were left out, gathers what is in no case, "
            "and asks for packs of months that have none.",
        ),
        stretches=scene.days.stretches(sorted({*due, *stale, *unfinished})),
        start=Start(portfolio.dag_id("reconcile"), "Reconcile"),
        follows=("reconcile",),
    )  # fmt: skip


def report_fields(scene: Scene) -> list[Field]:
    """The month, a later moment, whether to wait."""
    asked = scene.asked
    return [
        Field("month", "Month", "month", asked.text("month", _last_month(scene)), required=True),
        Field("as_of", "With labels known on", "day", asked.text("as_of"),
              hint="A later day makes another edition beside the first. Empty: the end of the month."),
        Field("incomplete", "Do not wait for what is missing", "flag", "true" if asked.flag("incomplete") else "",
              hint="The pack says what that is."),
    ]  # fmt: skip


def report(scene: Scene) -> Plan:
    """One run of ``report``."""
    from fraudops.monthly.completeness import undone_of
    from fraudops.monthly.editions import editions
    from fraudops.monthly.month import Month, folder_of

    asked, portfolio, ws = scene.asked, scene.portfolio, scene.archive.workspace
    text = asked.text("month", _last_month(scene))
    if not text:
        return Plan(problems=scene.missing("month", "Choose a month."))
    try:
        month = Month.parse(text)
    except (ContractError, ValueError):
        return Plan(problems={"month": f"{text!r} is no month; write it such as 2026-03."})
    over = month.as_of(portfolio.partitioning)
    if over > scene.now:
        return Plan(problems={"month": f"{month.key} is not over before {over:%Y-%m-%d %H:%M} UTC."})
    at, problem = _moment(asked.text("as_of"), over)
    if problem:
        return Plan(problems={"as_of": problem})
    there = folder_of(month, at or over) in editions(ws, portfolio)
    undone = undone_of(ws, portfolio, month, Settings.from_environment().rules)
    incomplete = asked.flag("incomplete")
    conf = {"month": month.key, "as_of": at.date().isoformat() if at else "", "incomplete": incomplete}
    return Plan(
        sentences=says(
            f"One run of {portfolio.dag_id('report')}, for {month.key} as of {at or over:%Y-%m-%d %H:%M} UTC.",
            "This edition is there: the run finds it, and sends no second mail."
            if there
            else "A page, a PDF and a table are made, kept, and sent to compliance. They are made once: whoever asks "
            "again gets the same bytes.",
            _what_is_missing(undone.sentence, incomplete) if undone and not there else None,
        ),
        start=Start(
            portfolio.dag_id("report"), f"Make the pack of {month.key}", conf={k: v for k, v in conf.items() if v}
        ),
        follows=("report",),
        links={"Monthly packs": "packs"},
    )


def verify_fields(scene: Scene) -> list[Field]:
    """How much is read."""
    ticked = "true" if scene.asked.flag("thorough") else ""
    return [Field("thorough", "Read every data file", "flag", ticked, hint=f"Not one partition in {ONE_IN}.")]


def verify(scene: Scene) -> Plan:
    """One run of ``verify``."""
    portfolio, thorough = scene.portfolio, scene.asked.flag("thorough")
    number = len(scene.days.published)
    return Plan(
        sentences=says(
            f"One run of {portfolio.dag_id('verify')}.",
            "It reads, and changes nothing: the ledger's chain and signatures, every manifest against the ledger, "
            "model files against the database.",
            f"The data files of all {counted(number, 'partition')} are read: that takes long."
            if thorough
            else f"Of the data files one partition in {ONE_IN} is read whole, of {number:,} that are published.",
            "Where something is not what was written, compliance and the data owner get a notice, and the run fails.",
        ),
        start=Start(portfolio.dag_id("verify"), "Verify", conf={"thorough": True} if thorough else {}),
        follows=("verify",),
    )


# -- inside -------------------------------------------------------------------------------------------------------


def _last_month(scene: Scene) -> str:
    """The month before the one of the newest partition's end: the newest that can be complete."""
    from fraudops.monthly.month import Month

    newest = scene.days.newest
    return Month.of(scene.portfolio.partitioning.end(newest)).before.key if newest else ""


def _moment(text: str, over: datetime) -> tuple[datetime | None, str | None]:
    if not text:
        return None, None
    try:
        found = datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return None, f"{text!r} is no day; write it such as 2026-03-05."
    return found, None if found >= over else f"The month is not over on that day; give one from {over:%Y-%m-%d} on."


def _what_is_missing(sentence: str, incomplete: bool) -> Sentence:
    if incomplete:
        return Sentence(f"It does not wait for what is missing, and says so in the pack ({sentence}).", "wait")
    return Sentence(f"It first waits, at most twelve hours, for what is missing: {sentence}.", "wait")


def _listed(keys: list[str], one: str, many: str) -> Sentence | None:
    if not keys:
        return None
    more = f" and {len(keys) - LISTED} more" if len(keys) > LISTED else ""
    return Sentence(
        f"{counted(len(keys), 'partition')} {one if len(keys) == 1 else many}: {', '.join(keys[:LISTED])}{more}."
    )
