"""Mirrors a training run to MLflow, for people who look there: parameters, metrics, figures, the evidence pack.

Only a mirror: the registry stays ours, because a promotion must commit with its ledger entry, and a run is never worse
for a tracking server that does not answer. Model files are not sent: a model is code, loaded by its digest alone.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraudops.database import ModelVersion
from fraudops.errors import ConfigurationError
from fraudops.portfolio import Portfolio
from fraudops.registry.versions import of_run
from fraudops.reports.evidence import filed_packs, read_pack
from fraudops.reports.figures import draw
from fraudops.training.splits import VALIDATION
from fraudops.workspace import Workspace

log = logging.getLogger(__name__)

VARIABLE = "MLFLOW_TRACKING_URI"
_LONGEST_PARAMETER = 500
_SHA256 = "fraudops.artifact_sha256"


@dataclass(frozen=True)
class Mirrored:
    """What became of a run's mirror.

    Attributes
    ----------
    state
        ``off``: no tracking server is named. ``mirrored``, or ``failed``.
    versions
        Versions that are there now.
    reason
        Why it failed, without the server's own words, which may name hosts or users.
    """

    state: str
    versions: tuple[str, ...] = ()
    reason: str = ""

    @property
    def sentence(self) -> str:
        """For the log of the run."""
        if self.state == "off":
            return f"not mirrored to MLflow: {VARIABLE} is not set"
        done = ", ".join(self.versions) or "nothing"
        return f"mirrored to MLflow: {done}" + (f"; then it failed ({self.reason})" if self.reason else "")


def mirror(
    ws: Workspace, portfolio: Portfolio, *, run_id: str, environment: Mapping[str, str] = os.environ
) -> Mirrored:
    """Mirror every version of a run; the same again changes nothing, and no failure is raised.

    An experiment for the portfolio, an MLflow run for each version, found again by the digest of its file.
    """
    address = environment.get(VARIABLE, "").strip()
    if not address:
        return Mirrored("off")
    done: list[str] = []
    try:
        for version in _mirror(ws, portfolio, run_id, address):
            done.append(version)
    except Exception as error:
        log.warning("The run could not be mirrored to MLflow", exc_info=error)
        return Mirrored("failed", tuple(done), _reason(error))
    return Mirrored("mirrored", tuple(done))


def _mirror(ws: Workspace, portfolio: Portfolio, run_id: str, address: str) -> Iterator[str]:
    client = _client(address)
    with ws.transaction() as session:
        models = of_run(session, portfolio.name, run_id)
    name = f"fraudops/{portfolio.name}"
    known = client.get_experiment_by_name(name)
    experiment = known.experiment_id if known else client.create_experiment(name)
    for model in models:
        found = client.search_runs([experiment], filter_string=f"tags.`{_SHA256}` = '{model.artifact_sha256}'")
        here = found[0] if found else client.create_run(experiment, run_name=_run_name(model), tags=_tags(model))
        _send(client, here.info.run_id, ws, portfolio, model, models)
        yield model.version


def _client(address: str) -> Any:
    try:
        from mlflow.tracking import MlflowClient
    except ImportError:
        raise ConfigurationError(
            f"{VARIABLE} is set, and MLflow is not installed",
            remedy="pip install 'fraudops[mlflow]', or take the variable away",
        ) from None
    return MlflowClient(tracking_uri=address)


def _send(
    client: Any, run: str, ws: Workspace, portfolio: Portfolio, model: ModelVersion, models: list[ModelVersion]
) -> None:
    known = client.get_run(run).data
    for name, value in parameters(model).items():
        # A parameter is written once, and never again.
        if name not in known.params:
            client.log_param(run, name, value)
    for name, number in metrics(model).items():
        if known.metrics.get(name) != number:
            client.log_metric(run, name, number)
    with tempfile.TemporaryDirectory(prefix="fraudops-mirror-") as folder:
        for path in _files(ws, portfolio, model, models, Path(folder)):
            client.log_artifact(run, str(path), path.parent.name)
    client.set_terminated(run)


def _files(
    ws: Workspace, portfolio: Portfolio, model: ModelVersion, models: list[ModelVersion], folder: Path
) -> Iterator[Path]:
    """Figures, and the newest evidence pack where one was filed."""
    with ws.transaction() as session:
        newest = next(iter(filed_packs(session, portfolio.name, model.version)), None)
    others = [other for other in models if other.id != model.id]
    contents = {f"figures/{figure.file}": figure.png for figure in draw(ws, portfolio, [model, *others])}
    if newest is not None:
        page, data = read_pack(ws, newest)
        contents |= {f"evidence/{newest.page}": page, f"evidence/{newest.data}": data}
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        yield path


def parameters(model: ModelVersion) -> dict[str, str]:
    """What the version was made with, as texts of the length that MLflow takes."""
    described = model.metrics.get("model", {})
    found = {
        "candidate": model.candidate,
        "estimator": described.get("estimator", ""),
        "as_of": model.as_of.isoformat(),
        "trained_until": model.trained_until.isoformat(),
        "dataset_sha256": model.lineage.get("dataset_sha256", ""),
        "seed": model.lineage.get("seed", ""),
        **{f"parameters.{name}": value for name, value in described.get("parameters", {}).items()},
        **{f"thresholds.{name}": value for name, value in model.thresholds.items()},
    }
    return {name: str(value)[:_LONGEST_PARAMETER] for name, value in found.items()}


def metrics(model: ModelVersion) -> dict[str, float]:
    """Every number of the test slice under its name, and of the validation slice under ``validation.``."""
    return dict(_numbers(model.metrics, ""))


def _numbers(content: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    for name, value in content.items():
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            yield f"{prefix}{name}", float(value)
        elif name.endswith("_interval") and value:
            yield from (
                (f"{prefix}{name}.{end}", float(limit)) for end, limit in zip(("low", "high"), value, strict=True)
            )
        elif isinstance(value, dict) and name in (VALIDATION, "money", "recall_at_fpr"):
            yield from _numbers(value, f"{prefix}{name}.")


def _tags(model: ModelVersion) -> dict[str, str]:
    return {
        _SHA256: model.artifact_sha256,
        "fraudops.version": model.version,
        "fraudops.run_id": model.run_id,
        "fraudops.portfolio": model.portfolio,
    }


def _run_name(model: ModelVersion) -> str:
    return f"{model.version} {model.candidate}"


def _reason(error: Exception) -> str:
    """Ours says what to do; of others the kind alone."""
    return str(error) if isinstance(error, ConfigurationError) else type(error).__name__
