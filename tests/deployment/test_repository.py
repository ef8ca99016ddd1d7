"""What surrounds the code keeps its promises: the image, the checks, the hooks, the documentation."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest
import yaml
from fraudops import settings
from fraudops.portfolio import load_portfolio, schema
from pydantic import BaseModel

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md")])


def test_the_image_runs_as_nobody_special_and_holds_no_secret() -> None:
    text = (CHECKOUT / "Dockerfile").read_text()
    assert text.count("\nFROM ") == 2
    assert re.search(r"^USER 50000:0$", text, re.MULTILINE)
    assert "libgomp1" in text
    assert not re.search(r"(KEY|SECRET|PASSWORD)\w*=", text)


def test_the_image_is_built_from_what_is_let_through() -> None:
    let_through = set(re.findall(r"^!(\S+)$", (CHECKOUT / ".dockerignore").read_text(), re.MULTILINE))
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (CHECKOUT / "Dockerfile").read_text(), re.MULTILINE)
    assert {name.removeprefix("./") for line in copied for name in line.split()} == let_through
    assert all((CHECKOUT / name).exists() for name in let_through)


@pytest.mark.parametrize("script", [".ci/run", "docker/make-env.sh", "docker/create-fraudops-database.sh"])
def test_scripts_can_be_run(script: str) -> None:
    path = CHECKOUT / script
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text()
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_the_workflow_does_what_people_do() -> None:
    workflow = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "ci.yml").read_text())
    assert workflow["permissions"] == {"contents": "read"}
    steps = {name: [step.get("run", "") for step in job["steps"]] for name, job in workflow["jobs"].items()}
    assert "bash .ci/run" in steps["test"]
    assert "docker compose up --detach" in steps["compose"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        assert all(re.fullmatch(r"[\w/-]+@v\d+", step["uses"]) for step in job["steps"] if "uses" in step)


def test_the_hooks_use_the_checkouts_own_tools() -> None:
    (repository,) = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    assert {"ruff", "ruff-format", "mypy", "yaml"} <= {hook["id"] for hook in repository["hooks"]}
    for hook in repository["hooks"]:
        assert hook["language"] == "pygrep" or hook["entry"].startswith(".venv/bin/")


def test_the_licence_is_whole() -> None:
    text = (CHECKOUT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_links_within_the_documentation_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_documents_and_scripts_name_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    for document in (*DOCUMENTS, CHECKOUT / ".ci" / "run"):
        named = set(re.findall(r"(?:^|`)make ([a-z]+)", document.read_text(), re.MULTILINE))
        assert named <= targets, document.name


def test_files_that_documents_name_exist() -> None:
    path = re.compile(r"`((?:include|dags|tests|docker|plugins|fraudops)/[\w./-]+)`")
    for document in DOCUMENTS:
        for name in path.findall(document.read_text()):
            folder = CHECKOUT / "include" if name.startswith("fraudops/") else CHECKOUT
            assert (folder / name).exists(), f"{document.name}: {name}"


def test_the_portfolio_in_the_readme_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", (CHECKOUT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "payments.yaml").write_text(example)
    assert load_portfolio(tmp_path / "payments.yaml").name == "payments"


def _models_below(kind: object) -> set[type[BaseModel]]:
    """A section's model and those of its parts, wherever they are written."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {found for part in get_args(kind) for found in _models_below(part)}
    return {kind, *(found for field in kind.model_fields.values() for found in _models_below(field.annotation))}


def test_the_configuration_page_has_every_key_of_a_portfolio() -> None:
    page = (CHECKOUT / "docs" / "configuration.md").read_text()
    fields = {name for model in _models_below(schema.Portfolio) for name in model.model_fields}
    assert len(fields) > 100
    # A key within a key is written `costs.review`.
    assert {name for name in fields if not re.search(rf"`([a-z_]+\.)*{name}`", page)} == set()


def test_the_configuration_page_has_every_variable() -> None:
    page = (CHECKOUT / "docs" / "configuration.md").read_text()
    variables = set(re.findall(r"``(FRAUDOPS_\w+)``", settings.__doc__ or "")) | {"FRAUDOPS_PRELOAD"}
    assert {name for name in variables if f"`{name}`" not in page} == set()
