"""A champion for the days to come, trained and promoted by the library alone."""

from __future__ import annotations

from datetime import timedelta

from fraudops.decisions.scoring import score_many
from fraudops.features import build
from fraudops.intake.files import find_files
from fraudops.intake.landing import land
from fraudops.intake.simulation import World, write_history
from fraudops.intake.validation import publish, validate
from fraudops.portfolio import load_all
from fraudops.registry.candidates import train
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import promote
from fraudops.settings import Settings
from fraudops.training.dataset import assemble
from fraudops.workspace import Workspace

RUN = "benchmark"


def promote_champion(settings: Settings, name: str, world: World, days: int) -> None:
    """Land the first days of a world, train on them, promote."""
    portfolio = load_all(settings.portfolios)[name]
    training = portfolio.training
    chosen = {key: training.candidates[key] for key in (training.baseline, "lightgbm")}
    quick = training.model_copy(update={"candidates": chosen, "minimum_positives": 5})
    trained = portfolio.model_copy(update={"training": quick})
    ws = Workspace.open(settings)
    write_history(ws.landing / name, world, world.start, world.start + timedelta(days=days - 1))
    landed = land(ws, portfolio, find_files(ws, portfolio))
    for key in sorted(landed.keys):
        if not validate(ws, portfolio, key).passed:
            raise RuntimeError(f"{key} did not pass validation")
        publish(ws, portfolio, key, actor="service:benchmark")
    build(ws, portfolio, landed.keys)
    as_of = portfolio.partitioning.end(max(landed.keys))
    assemble(ws, trained, run_id=RUN, as_of=as_of)
    for candidate in chosen:
        train(ws, trained, run_id=RUN, candidate=candidate)
    verdict = compare(ws, trained, run_id=RUN, as_of=as_of)
    if verdict.outcome != "PROMOTE":
        raise RuntimeError(f"no champion: {verdict.reason}")
    promote(ws, trained, run_id=RUN, approved_by="validator", reason="for the benchmark")
    score_many(ws, portfolio, landed.keys)
