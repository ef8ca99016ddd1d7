"""What will happen when days are scored again, restated, or learned from."""

from __future__ import annotations

from datetime import datetime

from fraudops.errors import ContractError
from fraudops.portfolio import format_duration, parse_duration
from fraudops.registry.versions import champion, versions

from fraudops_airflow.approval import SHORTEST_REASON
from fraudops_airflow.web.runs.asked import Field, Option, day_field, partition
from fraudops_airflow.web.runs.plan import Plan, Scene, Sentence, Start, counted, says

# -- a day again ------------------------------------------------------------------------------------------------


def score_fields(scene: Scene) -> list[Field]:
    """The partition."""
    asked = partition(scene.asked, scene.portfolio.partitioning, "day", scene.days.newest or "")
    return [day_field(scene.asked, scene.portfolio.partitioning, "day", "Partition", asked.key, "Time is UTC.")]


def score(scene: Scene) -> Plan:
    """One run of ``score``, by the key of its partition."""
    portfolio, days = scene.portfolio, scene.days
    asked = partition(scene.asked, portfolio.partitioning, "day", days.newest or "")
    if asked.key is None:
        return Plan(problems={"day": asked.problem} if asked.problem else scene.missing("day", "Choose a partition."))
    key = asked.key
    stretches = days.stretches([key])
    if key not in days.published:
        what = "was removed by retention" if key in days.removed else "is not published: ingest it first"
        return Plan(problems={"day": f"{key} {what}."}, stretches=stretches)
    if key in days.scores_removed:
        return Plan(problems={"day": f"Retention removed the scores of {key}: it is not scored again."})
    return Plan(
        sentences=says(f"One run of {portfolio.dag_id('score')}, for {key}.", *_scored_with(scene, key)),
        stretches=stretches,
        start=Start(portfolio.dag_id("score"), f"Score {key}", partition_key=key),
        follows=("score", "monitor"),
    )


def _scored_with(scene: Scene, key: str) -> tuple[str | Sentence, ...]:
    days, model = scene.days, scene.days.model(key)
    if model == "history":
        return (Sentence("Nothing is scored: the first champion may have learned from this partition.", "wait"),)
    if model == "pending":
        return (Sentence("Nothing is scored: there is no champion. The promotion scores what waits.", "wait"),)
    features = f"Its features are computed as of each transaction, and {model}, the champion of its end, scores them."
    if key not in days.scored:
        return (features, "Alerts are raised with their reasons, and notices for compliance are queued.")
    if not _is_stale(scene, key):
        return (f"It is scored by {model} from what is there now: nothing changes, and nobody is told anything twice.",)
    return (
        Sentence("What it was scored from has changed since.", "wait"),
        features,
        "Alerts that were raised stay as they are; new scores may raise new ones, which are told of.",
    )


def _is_stale(scene: Scene, key: str) -> bool:
    # Imported here: the rooms bring the scoring libraries, which most pages do not need.
    from fraudops.decisions.scoring import is_fresh
    from fraudops.features import outdated

    ws, portfolio = scene.archive.workspace, scene.portfolio
    scores = ws.store.manifest("scores", portfolio.name, key)
    return scores is None or not is_fresh(ws, scores) or bool(outdated(ws, portfolio, {key}))


# -- what would be alerted today ----------------------------------------------------------------------------------


def restate_fields(scene: Scene) -> list[Field]:
    """Days, a model, a reason."""
    asked, cut = scene.asked, scene.portfolio.partitioning
    first, last = (partition(asked, cut, name) for name in ("first", "last"))
    with scene.archive.reading() as session:
        options = [Option(one.version, f"{one.version} ({one.candidate})") for one in
                   versions(session, scene.portfolio.name)]  # fmt: skip
    return [
        day_field(asked, cut, "first", "From", first.key, ""),
        day_field(asked, cut, "last", "To", last.key, "Both included. Time is UTC."),
        Field("model", "Model", "choice", asked.text("model", "champion"),
              options=(Option("champion", "The champion of now"), *options)),
        Field("reason", "Reason", "text", asked.text("reason"), hint="Recorded with your name.", required=True),
    ]  # fmt: skip


def restate(scene: Scene) -> Plan:
    """One run of ``restate``."""
    asked, portfolio, days, cut = scene.asked, scene.portfolio, scene.days, scene.portfolio.partitioning
    first, last = (partition(asked, cut, name) for name in ("first", "last"))
    problems: dict[str, str] = {}
    for name, one in (("first", first), ("last", last)):
        problems |= {name: one.problem} if one.problem else {}
        problems |= scene.missing(name, "Choose one.") if one.key is None and not one.problem else {}
    problems |= _without_reason(scene)
    model, name = asked.text("model", "champion"), portfolio.name
    with scene.archive.reading() as session:
        known = {one.version for one in versions(session, name)}
        newest = champion(session, name)
        in_use = newest.version if newest else None
    if model == "champion" and in_use is None:
        problems["model"] = "There is no champion: choose a version."
    if model not in {"champion", *known}:
        problems["model"] = "There is no such version."
    if first.key is None or last.key is None:
        return Plan(problems=problems)
    keys = days.between(first.key, last.key)
    if last.key < first.key:
        problems["last"] = "It lies before the first one."
    elif not keys:
        problems["last"] = "No published partition lies in this range."
    stretches = days.stretches(keys)
    if problems or not asked.text("reason"):
        return Plan(problems=problems, stretches=stretches)
    version = in_use if model == "champion" else model
    undecided = sum(key not in days.scored for key in keys)
    return Plan(
        sentences=says(
            f"One run of {portfolio.dag_id('restate')}: {counted(len(keys), 'partition')} scored with {version}, "
            "beside the record.",
            "No alert is raised, none is withdrawn: a page says which would be new, gone, or decided otherwise.",
            Sentence(
                f"In {counted(undecided, 'partition')} of them nothing was decided then: every alert would be new.",
                "wait",
            )
            if undecided
            else None,
            "The model owner gets one notice, and the ledger an entry with your name and the reason.",
        ),
        stretches=stretches,
        start=Start(
            portfolio.dag_id("restate"),
            "Restate",
            conf={"first": first.key, "last": last.key, "model": model, "reason": asked.text("reason")},
        ),
        follows=("restate",),
        links={"Restatements": "restated"},
    )


# -- a training ---------------------------------------------------------------------------------------------------


def train_fields(scene: Scene) -> list[Field]:
    """Reason, moment, window, candidates, split."""
    asked, training = scene.asked, scene.portfolio.training
    names = tuple(training.candidates)
    window = format_duration(training.window)
    return [
        Field("reason", "Reason", "text", asked.text("reason"), hint="Recorded with your name.", required=True),
        Field("as_of", "As of", "text", asked.text("as_of"),
              hint=f"A partition (its end), such as {scene.portfolio.partitioning.example}, or a moment. "
              "Empty: the end of the newest one."),
        Field("window", "Learn from the last", "text", asked.text("window"), hint=f"Such as 90d. Empty: {window}."),
        Field("candidates", "Candidates", "many", values=asked.many("candidates", names),
              hint=f"{training.baseline} is the floor, and always included.",
              options=tuple(Option(name, name) for name in names)),
        Field("split", "Split", "choice", asked.text("split", training.split), options=(
            Option("time", "By time"), Option("random", "Random", "To compare with published numbers."))),
    ]  # fmt: skip


def train(scene: Scene) -> Plan:
    """One run of ``train``."""
    from fraudops_airflow.context import moment
    from fraudops_airflow.periods import training_period

    asked, portfolio = scene.asked, scene.portfolio
    names = list(portfolio.training.candidates)
    problems = _without_reason(scene)
    chosen = [name for name in asked.many("candidates", tuple(names)) if name in names]
    if not chosen:
        problems["candidates"] = "Choose at least one."
    as_of: datetime | None = None
    try:
        as_of = moment(portfolio, asked.text("as_of"))
    except ContractError as error:
        problems["as_of"] = f"{error.what}: {error.remedy}"
    window = asked.text("window")
    try:
        parse_duration(window or "1d")
    except ValueError as error:
        problems["window"] = str(error)
    if problems:
        return Plan(problems=problems)
    try:
        until, length, keys = training_period(scene.archive.workspace, portfolio, as_of, window or None)
    except ContractError as error:
        return Plan(problems={"": f"{error.what}: {error.remedy}"})
    if not asked.text("reason"):
        return Plan(problems=problems)
    split = "random" if asked.text("split") == "random" else "time"
    floor = portfolio.training.baseline
    conf = {"reason": asked.text("reason"), "as_of": asked.text("as_of") or None, "window": window or None}
    return Plan(
        sentences=says(
            f"One run of {portfolio.dag_id('train')}: {', '.join(dict.fromkeys([floor, *chosen]))}, "
            "each in a task of its own.",
            f"They learn from {counted(len(keys), 'partition')}, {keys[0]} to {keys[-1]} (as of "
            f"{until:%Y-%m-%d %H:%M} UTC, the last {length}).",
            f"Labels count once they are {format_duration(portfolio.labels.delay)} old: younger rows are left out.",
            _compared_with(scene),
            Sentence("A random split is for comparison only, and never leads to a promotion.", "wait")
            if split == "random"
            else _who_decides(scene),
        ),
        start=Start(
            portfolio.dag_id("train"),
            "Train",
            conf={k: v for k, v in conf.items() if v} | {"candidates": chosen, "split": split},
        ),
        follows=("train", "promote"),
        links={"Training reports": "reports"},
    )


def _compared_with(scene: Scene) -> str:
    with scene.archive.reading() as session:
        found = champion(session, scene.portfolio.name)
        version = found.version if found else None
    if version is None:
        return "There is no champion: the best of them has to be better than the floor."
    return f"The best one is compared with the champion, {version}, on rows that neither has seen. A tie keeps it."


def _who_decides(scene: Scene) -> str:
    if scene.portfolio.promotion.shadow is not None:
        return "Where the verdict is PROMOTE, the best one first scores beside the champion for some days."
    if not scene.portfolio.promotion.needs_approval:
        return "Where the verdict is PROMOTE, it becomes champion at once: the portfolio asks nobody."
    return "Where the verdict is PROMOTE, an approver is asked: not you, nobody approves what they asked for."


def _without_reason(scene: Scene) -> dict[str, str]:
    reason = scene.asked.text("reason")
    if reason and len(reason) < SHORTEST_REASON:
        return {"reason": f"Write at least {SHORTEST_REASON} letters."}
    return {} if reason else scene.missing("reason", "Say why.")
