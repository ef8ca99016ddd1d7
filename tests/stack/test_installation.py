"""A portfolio's file is copied whole or not at all, and never over another one unasked."""

from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.errors import FraudopsError
from fraudops.portfolio import PortfolioError, load_portfolio
from fraudops.settings import Settings
from fraudops.stack.client import AirflowClient
from fraudops.stack.installation import Change, OccupiedError, install, uninstall, wait_for_dags
from fraudops.stack.walkthrough import workflows_of

ULB = Path(__file__).resolve().parents[2] / "include" / "portfolios" / "ulb.yaml"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation without any portfolio."""
    places = {"FRAUDOPS_STATE": str(tmp_path / "state"), "FRAUDOPS_PORTFOLIOS": str(tmp_path / "portfolios")}
    return Settings.from_environment(places)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A portfolio of one's own."""
    path = tmp_path / "mine.yaml"
    path.write_text(ULB.read_text().replace("name: ulb", "name: mine"))
    return path


def test_it_is_copied_and_its_landing_folder_is_made(settings: Settings, mine: Path) -> None:
    done = install(settings, mine)
    assert (done.change, done.difference) == (Change.ADDED, "")
    assert load_portfolio(settings.portfolios / "mine.yaml").name == "mine"
    assert [path.name for path in settings.portfolios.iterdir()] == ["mine.yaml"]
    assert (settings.landing / "mine").is_dir()
    assert install(settings, mine).change is Change.NONE
    assert install(settings, done.path).change is Change.NONE


def test_another_one_is_replaced_only_when_asked_and_the_difference_is_told(settings: Settings, mine: Path) -> None:
    before = install(settings, mine).path.read_text()
    mine.write_text(before.replace("alerts_per_day: 150", "alerts_per_day: 99"))
    with pytest.raises(OccupiedError) as error:
        install(settings, mine)
    assert "-  alerts_per_day: 150\n+  alerts_per_day: 99" in error.value.difference
    assert (settings.portfolios / "mine.yaml").read_text() == before
    done = install(settings, mine, replace=True)
    assert done.change is Change.REPLACED
    assert "+  alerts_per_day: 99" in done.difference
    assert load_portfolio(done.path).policy.alerts_per_day == 99


def test_what_is_wrong_is_not_installed(settings: Settings, mine: Path) -> None:
    mine.write_text(mine.read_text().replace("n_estimators", "trees"))
    with pytest.raises(PortfolioError, match="random_forest has no such parameter"):
        install(settings, mine)
    assert not settings.portfolios.exists()


def test_removing_keeps_the_data(settings: Settings, mine: Path) -> None:
    done = install(settings, mine)
    (done.landing / "data.csv").write_text("x")
    assert uninstall(settings, "mine") == done.path
    assert not done.path.exists()
    assert (done.landing / "data.csv").exists()
    with pytest.raises(FraudopsError, match="there is no portfolio 'mine'"):
        uninstall(settings, "mine")


def test_airflow_is_asked_to_read_its_files_anew_once_each(
    settings: Settings, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = install(settings, mine).portfolio
    asked: list[str] = []
    known = {"cards_land": "token of land", "cards_score": "token/of score", "ulb_land": "token of land"}

    def request(self: AirflowClient, method: str, path: str, **arguments: object) -> object:
        if method == "PUT":
            asked.append(path)
            known.update({portfolio.dag_id(workflow): "t" for workflow in workflows_of(portfolio)})
            return None
        entries = [{"dag_id": dag, "file_token": token} for dag, token in known.items()]
        return {"dags": entries, "total_entries": len(entries)}

    monkeypatch.setattr(AirflowClient, "request", request)
    assert "mine_land" in wait_for_dags(AirflowClient("http://127.0.0.1:1", "a", "b"), portfolio, timeout=1)
    assert asked == ["/parseDagFile/token%20of%20land", "/parseDagFile/token%2Fof%20score"]
