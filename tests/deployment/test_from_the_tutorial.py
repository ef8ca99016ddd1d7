"""docs/from-the-tutorial.md: every step is there, every path exists, every command is one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fraudops.portfolio import Source

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "from-the-tutorial.md").read_text()
SPANS = [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", PAGE)]
LINES = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
COMMANDS = sorted({text for text in [*SPANS, *LINES] if re.match(r"(fraudops|make|\.venv/bin/\w+) ", text)})


def run(*command: str) -> str:
    """Output of a command that must succeed."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "include"), "COLUMNS": "200", "TERM": "dumb"}
    found = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, f"{' '.join(command)}: {found.stdout}{found.stderr}"
    return found.stdout


def options(command: str) -> list[str]:
    return re.findall(r" (--[a-z-]+)", command)


@pytest.mark.parametrize(
    "step",
    ["Read a CSV", "missing values", "one-hot", "Split 80", "150 trees", "classification report", "confusion matrix",
     "column", "other names", "SMTP", "TLS", "login", "ROC curve", "notebook"],
)  # fmt: skip
def test_every_step_of_the_tutorial_has_a_heading(step: str) -> None:
    assert any(step.lower() in heading.lower() for heading in re.findall(r"^## (.+)$", PAGE, re.MULTILINE))


def test_every_section_says_where_how_and_what_differs() -> None:
    sections = re.split(r"^## ", PAGE, flags=re.MULTILINE)[2:]
    assert len(sections) == 8
    for section in sections:
        for row in ("| where |", "| run it |", "| differently |"):
            assert row in section, section.splitlines()[0]


def test_every_path_exists() -> None:
    paths = {
        word.rstrip(",")
        for text in [*SPANS, *LINES]
        for word in text.split()
        if re.match(r"(include|tests|benchmarks|notebooks|docs|dags|plugins)/", word)
    }
    assert len(paths) > 20
    assert {path for path in paths if not (CHECKOUT / path).exists()} == set()


def test_commands_are_named() -> None:
    assert {command.split()[0] for command in COMMANDS} == {
        "fraudops",
        "make",
        ".venv/bin/jupyter",
        ".venv/bin/pytest",
        ".venv/bin/python",
    }


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("fraudops ")])
def test_fraudops_knows_the_command(command: str) -> None:
    words = re.match(r"fraudops((?: [a-z]+(?=\s|$))+)", command)
    assert words is not None
    text = run(sys.executable, "-m", "fraudops", *words[1].split(), "--help")
    for option in options(command):
        assert option in text, command


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("make ")])
def test_make_knows_the_target(command: str) -> None:
    run("make", "--dry-run", *command.split()[1:])


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(".venv/bin/python ")])
def test_python_files_know_their_options(command: str) -> None:
    text = run(sys.executable, command.split()[1], "--help")
    for option in options(command):
        assert option in text, command


def test_jupyter_can_execute() -> None:
    executed = [command for command in COMMANDS if command.startswith(".venv/bin/jupyter ")]
    assert executed == [".venv/bin/jupyter execute notebooks/quickstart.ipynb"]
    assert (Path(sys.executable).parent / "jupyter").exists()
    assert "execute notebook" in run(sys.executable, "-m", "jupyter_core.command", "execute", "--help")


def test_the_two_sources_are_ones_that_a_portfolio_may_have() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    first, second = (Source.model_validate(source) for source in yaml.safe_load(example)["transactions"])
    assert {"Amount", "Class"} <= set(map(str, first.columns.values()))
    assert {"transaction_amount", "fraud_label"} <= set(map(str, second.columns.values()))


def test_readme_and_notebook_lead_here() -> None:
    assert "](docs/from-the-tutorial.md)" in (CHECKOUT / "README.md").read_text()
    assert "](../docs/from-the-tutorial.md)" in (CHECKOUT / "notebooks" / "quickstart.ipynb").read_text()
