from __future__ import annotations

import re
from pathlib import Path

import pytest
from fraudops.cli import console
from fraudops.cli.portfolio import app
from typer.testing import CliRunner

from tests.intake.inference.lookalikes import LOOKALIKES

RUNNER = CliRunner()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, and an installation without portfolios and without a stack."""
    monkeypatch.setenv("FRAUDOPS_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("FRAUDOPS_PORTFOLIOS", str(tmp_path / "portfolios"))
    return tmp_path


def test_from_a_data_file_to_an_installed_portfolio(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = LOOKALIKES["paysim"](place)
    drafted = RUNNER.invoke(app, ["infer", str(data), "--name", "mobile"])
    assert drafted.exit_code == 0
    draft = place / "mobile.yaml"
    draft.write_text(drafted.stdout)
    checked = RUNNER.invoke(app, ["check", str(draft), "--file", str(data)])
    assert checked.exit_code == 0, checked.output
    added = RUNNER.invoke(app, ["add", str(draft)])
    assert added.exit_code == 0, added.output
    assert (place / "portfolios" / "mobile.yaml").read_text() == draft.read_text()
    again = RUNNER.invoke(app, ["add", str(draft)])
    assert again.exit_code == 0
    draft.write_text(draft.read_text().replace("owner: fraud-team", "owner: mobile-team"))
    assert RUNNER.invoke(app, ["add", str(draft)]).exit_code == 2
    assert RUNNER.invoke(app, ["add", str(draft), "--replace"]).exit_code == 0
    removed = RUNNER.invoke(app, ["remove", "mobile", "--yes"])
    assert removed.exit_code == 0
    assert not (place / "portfolios" / "mobile.yaml").exists()


def test_a_data_file_that_does_not_fit_fails_the_check(place: Path) -> None:
    data = LOOKALIKES["paysim"](place)
    draft = place / "mobile.yaml"
    draft.write_text(RUNNER.invoke(app, ["infer", str(data), "--name", "mobile"]).stdout)
    data.write_text(data.read_text().replace("nameDest", "nameOfDest", 1))
    assert RUNNER.invoke(app, ["check", str(draft), "--file", str(data)]).exit_code == 2


def test_problems_fit_a_terminal_of_80_columns(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console.err, "_width", 80)
    path = place / "shop.yaml"
    path.write_text("name: shop\ntitel: x\nlabels: {delay: a week}\nfeatures: {calendar: [houer]}\n")
    found = RUNNER.invoke(app, ["check", str(path)])
    assert found.exit_code == 2
    told = found.stderr or capsys.readouterr().err
    assert re.search(r"line 2: titel\n +there is no such key \(got 'x'\)\n +→ did you mean 'title'\?", told)
    assert "did you mean 'hour'?" in told
    assert max(map(len, told.splitlines()[1:])) <= 80
