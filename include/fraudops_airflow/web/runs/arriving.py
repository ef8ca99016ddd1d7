"""What will happen when a partition, a range of them, or files are ingested."""

from __future__ import annotations

from dataclasses import replace

from fraudops.intake.folder import Mark, look
from fraudops.intake.masking import mask_card_numbers
from fraudops.portfolio import Portfolio, Role

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.runs.asked import Field, Option, day_field, partition
from fraudops_airflow.web.runs.days import REMOVED
from fraudops_airflow.web.runs.plan import Plan, Scene, Sentence, Start, counted, says

SHOWN_FILES = 40
"""Files of the landing folder that the form offers."""
MOST_RUNS = 1_500
"""Runs of one backfill: Airflow makes them all at once, while the request waits."""


# -- one partition ----------------------------------------------------------------------------------------------


def ingest_fields(scene: Scene) -> list[Field]:
    """The partition."""
    asked = partition(scene.asked, scene.portfolio.partitioning, "day", _next(scene))
    hint = "Time is UTC. The first one that is over and not there yet is filled in."
    return [day_field(scene.asked, scene.portfolio.partitioning, "day", "Partition", asked.key, hint)]


def ingest(scene: Scene) -> Plan:
    """One run of ``ingest``, by the key of its partition."""
    portfolio, days = scene.portfolio, scene.days
    asked = partition(scene.asked, portfolio.partitioning, "day", _next(scene))
    if asked.key is None:
        return Plan(problems={"day": asked.problem} if asked.problem else scene.missing("day", "Choose a partition."))
    key = asked.key
    if problem := _not_to_be_had(scene, key):
        return Plan(problems={"day": problem}, stretches=days.stretches([key]))
    published = key in days.published
    later = sum(known > key for known in days.scored)
    return Plan(
        sentences=says(
            f"One run of {portfolio.dag_id('ingest')}, for {key}.",
            _sources(scene, key),
            "It is published already. Where its files are the same, nothing is written and nobody is told; where they "
            "are others, their rows take the place of the old ones, and the data owner is told what changed."
            if published
            else "Its rows are checked with Great Expectations. What fails stays unpublished, and the data owner is "
            "written to.",
            _scoring(scene, key),
            Sentence(
                f"{counted(later, 'later partition')} {'is' if later == 1 else 'are'} scored already. Those whose "
                f"features look back at this one are scored again by {portfolio.dag_id('reconcile')}, if its rows are "
                "new or others.",
                "wait",
            )
            if later
            else None,
        ),
        stretches=days.stretches([key]),
        start=Start(portfolio.dag_id("ingest"), f"Ingest {key}", partition_key=key),
        follows=("ingest", "score", "reconcile") if later else ("ingest", "score"),
        links={"Validation of this partition": f"validation/{portfolio.name}/{key}"}
        if scene.archive.has("validation", portfolio.name, f"date={key}")
        else {},
    )


# -- a range ----------------------------------------------------------------------------------------------------


BEHAVIOURS = {
    "none": Option("none", "Only what has not run yet", "Airflow makes no run for partitions that it has run."),
    "failed": Option("failed", "What has not run, or has failed"),
    "completed": Option("completed", "All of them", "Runs again for all; nothing changes where files are the same."),
}


def backfill_fields(scene: Scene) -> list[Field]:
    """Two partitions, and what to do with what has run."""
    asked, cut = scene.asked, scene.portfolio.partitioning
    first, last = (partition(asked, cut, name, default) for name, default in _range(scene))
    return [
        day_field(asked, cut, "first", "From", first.key, ""),
        day_field(asked, cut, "last", "To", last.key, "Both included. Time is UTC."),
        Field("behaviour", "Which", "choice", asked.text("behaviour", "none"), options=tuple(BEHAVIOURS.values())),
    ]


def backfill(scene: Scene) -> Plan:
    """A backfill of ``ingest``; one run at a time, so that days come in the order of time."""
    portfolio, days, cut = scene.portfolio, scene.days, scene.portfolio.partitioning
    first, last = (partition(scene.asked, cut, name, default) for name, default in _range(scene))
    problems = {name: one.problem for name, one in (("first", first), ("last", last)) if one.problem}
    behaviour = scene.asked.text("behaviour", "none")
    if behaviour not in BEHAVIOURS:
        problems["behaviour"] = "Choose one of them."
    if first.key is None or last.key is None or problems:
        missing = [name for name, one in (("first", first), ("last", last)) if one.key is None and not one.problem]
        return Plan(
            problems=problems | {k: v for name in missing for k, v in scene.missing(name, "Choose one.").items()}
        )
    if problems := _range_problems(scene, first.key, last.key):
        return Plan(problems=problems)
    keys = list(cut.keys(first.key, last.key))
    published = set(days.published)
    there = sum(key in published for key in keys)
    removed = sum(key in days.removed for key in keys)
    return Plan(
        sentences=says(
            f"A backfill of {portfolio.dag_id('ingest')} over {counted(len(keys), 'partition')}, one after the other "
            "in the order of time.",
            f"{counted(there, 'partition')} of them {'is' if there == 1 else 'are'} published already; where files are "
            "the same, nothing is written, no alert is raised and no notice is sent."
            if there
            else None,
            f"{portfolio.dag_id('score')} follows by itself for each published partition.",
            Sentence(
                f"{counted(removed, 'partition')} {'was' if removed == 1 else 'were'} removed by retention. Nothing of "
                "these is landed.",
                "bad",
            )
            if removed
            else None,
            "Alerts of days long past are told of in one summary notice, not in a notice a day.",
        ),
        stretches=days.stretches(keys),
        start=Start(
            portfolio.dag_id("ingest"),
            "Start the backfill",
            backfill={
                "from_date": cut.start(first.key).isoformat(),
                "to_date": cut.start(last.key).isoformat(),
                "reprocess_behavior": behaviour,
                "max_active_runs": 1,
            },
        ),
        follows=("ingest", "score"),
    )


# -- files --------------------------------------------------------------------------------------------------------


def land_fields(scene: Scene) -> list[Field]:
    """Files, a range, and how."""
    asked, cut = scene.asked, scene.portfolio.partitioning
    first, last = (partition(asked, cut, name) for name in ("first", "last"))
    lying = _lying(scene.archive, scene.portfolio)
    newest = sorted(lying, key=lambda name: (-lying[name][1], name))
    shown = [name for name in newest if mask_card_numbers(name) == name][:SHOWN_FILES]
    more = f" The newest {len(shown)} of {len(lying):,} are shown." if len(lying) > len(shown) else ""
    return [
        Field(
            "file",
            f"Files in landing/{scene.portfolio.name}",
            "many",
            values=asked.many("file"),
            hint=f"None: all that match the portfolio's patterns, and what lies elsewhere.{more}",
            options=tuple(Option(name, name, _size(lying[name][0])) for name in shown),
        ),
        Field("names", "Other files", "lines", asked.text("names"), hint="Names below that folder, one a line."),
        _optional(day_field(asked, cut, "first", "From", first.key, "Empty: no limit.")),
        _optional(day_field(asked, cut, "last", "To", last.key, "Partitions outside are left alone.")),
        Field("corrections", "These are corrections", "flag", _flag(scene, "corrections"),
              hint="Rows take the place of what is stored under the same id, whatever file brought it."),
        Field("set_aside", "Set aside what cannot be used", "flag", _flag(scene, "set_aside"),
              hint="A named file that cannot be used as a whole does not keep the others out."),
        Field("train", "Train afterwards", "flag", _flag(scene, "train"),
              hint="On all that is there then, and compare with the champion."),
    ]  # fmt: skip


def land(scene: Scene) -> Plan:
    """One run of ``land``."""
    asked, portfolio, days = scene.asked, scene.portfolio, scene.days
    cut = portfolio.partitioning
    first, last = (partition(asked, cut, name) for name in ("first", "last"))
    problems = {name: one.problem for name, one in (("first", first), ("last", last)) if one.problem}
    if first.key and last.key and last.key < first.key:
        problems["last"] = "It lies before the first one."
    lying = _lying(scene.archive, portfolio)
    names = list(dict.fromkeys([*asked.many("file"), *asked.text("names").splitlines()]))
    names = [name.strip() for name in names if name.strip()]
    if bad := [name for name in names if name.startswith(("/", "\\")) or ".." in name.split("/")]:
        problems["names"] = f"{bad[0]!r} leads out of the landing folder."
    if asked.flag("corrections") and not portfolio.named(Role.ID):
        problems["corrections"] = "Its rows have no id: deliver the corrected file under its old name."
    if problems:
        return Plan(problems=problems)
    unknown = [mask_card_numbers(name) for name in names if name not in lying]
    conf = {"path": names or None, "first": first.key, "last": last.key}
    conf |= {name: asked.flag(name) for name in ("corrections", "set_aside", "train")}
    return Plan(
        sentences=says(
            f"One run of {portfolio.dag_id('land')}: "
            + (
                f"{counted(len(names), 'file')}."
                if names
                else f"every file that matches ({len(lying):,} lie there now)."
            ),
            None if names else _elsewhere(portfolio),
            Sentence(f"Not among what lies there and matches a pattern: {', '.join(unknown[:5])}.", "wait")
            if unknown
            else None,
            "What was landed before with the same bytes changes nothing.",
            "Each partition is validated, published and scored; what fails validation stays unpublished, the others "
            "go on, and the run fails with the list.",
            "Days from before the first champion's training data ends are learned from, not scored."
            if days.published
            else "Nothing is scored before a champion is promoted: afterwards, train.",
            f"Afterwards {portfolio.dag_id('train')} runs." if asked.flag("train") else None,
        ),
        start=Start(portfolio.dag_id("land"), "Land", conf={k: v for k, v in conf.items() if v}),
        follows=("land", "train") if asked.flag("train") else ("land",),
    )


# -- inside -------------------------------------------------------------------------------------------------------


def _next(scene: Scene) -> str:
    """The partition after the newest one, where it is over; else the newest one that is over."""
    cut, newest, over = scene.portfolio.partitioning, scene.days.newest, _over(scene)
    return min(cut.key_of(cut.end(newest)), over) if newest else over


def _range(scene: Scene) -> tuple[tuple[str, str], tuple[str, str]]:
    """From the first partition that is not there to the newest one that is over."""
    return ("first", _next(scene)), ("last", _over(scene))


def _over(scene: Scene) -> str:
    """The newest partition that is over."""
    cut, end = scene.portfolio.partitioning, scene.portfolio.end
    return cut.key_of(min(scene.now, end or scene.now) - cut.length)


def _not_to_be_had(scene: Scene, key: str) -> str | None:
    end = scene.portfolio.partitioning.end(key)
    if end > scene.now:
        return f"{key} is not over before {end:%Y-%m-%d %H:%M} UTC."
    if scene.days.state(key) == REMOVED:
        return f"{key} was removed by retention: nobody gets it back by landing its files once more."
    start, stop = scene.portfolio.start, scene.portfolio.end
    if (start and end <= start) or (stop and scene.portfolio.partitioning.start(key) >= stop):
        return f"{key} lies outside the time that the portfolio covers."
    return None


def _range_problems(scene: Scene, first: str, last: str) -> dict[str, str]:
    cut = scene.portfolio.partitioning
    if last < first:
        return {"last": "It lies before the first one."}
    if cut.end(last) > scene.now:
        return {"last": f"{last} is not over before {cut.end(last):%Y-%m-%d %H:%M} UTC."}
    number = (cut.start(last) - cut.start(first)) // cut.length + 1
    if number > MOST_RUNS:
        return {"last": f"That is {number:,} runs. Airflow makes all of them at once: ask for at most {MOST_RUNS:,}, "
                f"or use {scene.portfolio.dag_id('land')}, which takes any number in one run."}  # fmt: skip
    return {}


def _sources(scene: Scene, key: str) -> str | Sentence:
    portfolio = scene.portfolio
    patterns = [s.local_pattern.replace("{key}", key) for s in portfolio.transactions if not s.is_database]
    found = [mask_card_numbers(name) for name in look(scene.archive.workspace.landing / portfolio.name, patterns)]
    if found:
        more = f" and {counted(len(found) - 3, 'more file')}" if len(found) > 3 else ""
        return f"It reads {', '.join(found[:3])}{more}."
    if elsewhere := _elsewhere(portfolio):
        return elsewhere
    if any(source.simulator for source in portfolio.transactions):
        return "No file of it lies there; the built-in simulator writes one (demonstration)."
    return Sentence(f"No file of it lies in landing/{portfolio.name}: as it is now, the run fails.", "bad")


def _elsewhere(portfolio: Portfolio) -> str | None:
    fetched = [source.name for source in portfolio.transactions if source.is_fetched]
    return f"First what lies elsewhere is fetched: {', '.join(fetched)}." if fetched else None


def _scoring(scene: Scene, key: str) -> str | Sentence:
    version = scene.days.model(key)
    if version == "pending":
        return Sentence("There is no champion: it waits for one, and the promotion scores it.", "wait")
    if version == "history":
        return "It is not scored: the first champion may have learned from it."
    return (
        f"Then {scene.portfolio.dag_id('score')} scores it with {version}, the champion of its end, and raises alerts."
    )


def _lying(archive: Archive, portfolio: Portfolio) -> dict[str, Mark]:
    patterns = [source.local_pattern.replace("{key}", "*") for _, source in portfolio.feeds if not source.is_database]
    return look(archive.workspace.landing / portfolio.name, dict.fromkeys(patterns))


def _optional(field: Field) -> Field:
    return replace(field, required=False)


def _flag(scene: Scene, name: str) -> str:
    return "true" if scene.asked.flag(name) else ""


def _size(size: int) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:,.0f} {unit}"
        size = round(size / 1000)
    raise AssertionError
