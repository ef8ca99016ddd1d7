"""The whole product for real, small: the demo in Airflow, its e-mails, its record, and a backfill on top."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import yaml
from fraudops.cli.status import read_status
from fraudops.settings import Settings
from fraudops.stack.client import AirflowClient, RunFailedError
from fraudops.stack.environment import AIRFLOW_DATABASE, fraudops_variables
from fraudops.stack.lifecycle import Stack
from fraudops.stack.postgres import Postgres
from fraudops.stack.processes import members
from fraudops.stack.secrets import read_secrets

from tests.confidentiality.searching import Search

pytestmark = pytest.mark.stack

CHECKOUT = Path(__file__).resolve().parents[2]
LAST_DAY = "2026-03-31"
DAYS, LIVE_DAYS = 44, 2
DEMO = (
    "demo",
    f"--days={DAYS}",
    f"--live-days={LIVE_DAYS}",
    "--later-days=0",
    "--payments-per-day=800",
    f"--end={LAST_DAY}",
)
LIVE = ("2026-03-30", "2026-03-31")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], timeout: float = 120) -> None:
    """Wait for something that Airflow does by itself."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


@dataclass(frozen=True)
class Demonstration:
    """A stack in which the demo has run."""

    stack: Stack
    environment: dict[str, str]

    def fraudops(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line as a user does, from another folder."""
        return subprocess.run(
            [sys.executable, "-m", "fraudops", *arguments],
            env=self.environment,
            cwd=self.stack.settings.state.parent,
            capture_output=True,
            text=True,
            timeout=540,
        )

    def status(self) -> dict[str, Any]:
        """What ``fraudops status --json`` prints, without starting a process for it."""
        secrets = read_secrets(self.stack.folder.secrets)
        assert secrets is not None
        variables = fraudops_variables(self.stack.settings, secrets, self.stack.client().address)
        return read_status(Settings.from_environment(variables)).to_dict()

    def mails(self) -> list[EmailMessage]:
        """What the mail sink received."""
        files = sorted(self.stack.folder.maildir.glob("new/*"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]  # type: ignore[misc]


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    folder = tmp_path_factory.mktemp("the demo")
    portfolios = folder / "portfolios"
    portfolios.mkdir()
    cards = yaml.safe_load((CHECKOUT / "include" / "portfolios" / "cards.yaml").read_text())
    # One candidate, the floor itself: what is tested here is the way, not the model.
    cards["training"]["candidates"] = {"logistic_regression": {"estimator": "logistic_regression"}}
    cards["training"]["minimum_positives"] = 5
    # No run comes by itself: the days of this world are not those of the calendar.
    cards["scheduled"] = False
    (portfolios / "cards.yaml").write_text(yaml.safe_dump(cards))
    own = {
        "FRAUDOPS_STATE": str(folder / "state"),
        "FRAUDOPS_PORTFOLIOS": str(portfolios),
        "FRAUDOPS_PRELOAD": "1",
        "PYTHONPATH": str(CHECKOUT / "include"),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "FRAUDOPS_"))}
    stack = Stack(Settings.from_environment(own | {"FRAUDOPS_HOME": str(CHECKOUT)}))
    found = Demonstration(stack, inherited | own)
    try:
        # A port of its own: several stacks may be starting on this machine at the same moment.
        for command in (("up", f"--port={free_port()}"), DEMO):
            result = found.fraudops(*command)
            assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
        yield found
    finally:
        stack.down()
        orphans = members(stack.folder.identity)
        stack.postgres.remove()
        assert orphans == []


def test_status_says_what_the_demo_did(demonstration: Demonstration) -> None:
    status = json.loads(demonstration.fraudops("status", "--json").stdout)
    cards = status["portfolios"]["cards"]
    assert cards == demonstration.status()["portfolios"]["cards"]
    assert status["login"]["user"]
    assert status["address"].startswith("http://127.0.0.1:")
    assert cards["partitions"] == DAYS
    assert cards["pending"] == 0
    assert 0 < cards["champion"]["metrics"]["average_precision"] <= 1
    assert cards["alerts"] > 0
    assert cards["notices"]["sent"] == len(demonstration.mails()) > 0
    assert cards["notices"]["waiting"] == 0


def test_each_mail_is_one_a_person_can_read(demonstration: Demonstration) -> None:
    mails = demonstration.mails()
    assert len({mail["Message-ID"] for mail in mails}) == len(mails)
    subjects = [str(mail["Subject"]) for mail in mails]
    assert any("PROMOTE" in subject for subject in subjects)
    assert any(LIVE[0] in subject and "alert" in subject for subject in subjects)
    for mail in mails:
        assert mail.get_body(("plain",)) is not None
        assert mail.get_body(("html",)) is not None
        assert "@bank.example" in mail["To"]


def test_a_named_person_approved(demonstration: Demonstration) -> None:
    result = demonstration.fraudops("ledger", "verify")
    assert result.returncode == 0, result.stdout + result.stderr
    shown = demonstration.fraudops("models", "show", "v1", "--portfolio", "cards").stdout
    assert "validator" in shown


def test_no_card_number_is_in_airflow_s_database_its_logs_or_a_mail(demonstration: Demonstration) -> None:
    landing = demonstration.stack.settings.landing / "cards"
    (history,) = landing.glob("transactions_history_*.csv.gz")
    with gzip.open(history, "rt") as file:
        rows = list(itertools.islice(csv.DictReader(file), 0, 4_000, 800))
    cards = {row["card_number"] for row in rows if row["card_number"].isdigit()}
    assert len(cards) >= 4
    search = Search(cards)
    assert search.content("as it came", gzip.decompress(history.read_bytes())), "else it would find nothing"
    folder = demonstration.stack.folder
    assert search.database(Postgres(folder.root).url(AIRFLOW_DATABASE)) == []
    assert search.files(folder.logs) == []
    assert search.files(folder.maildir) == []


def test_a_second_demo_changes_nothing(demonstration: Demonstration) -> None:
    before, mails = demonstration.status(), len(demonstration.mails())
    result = demonstration.fraudops(*DEMO)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    after = demonstration.status()
    # How much room the disk has is others' doing as well.
    for status in (before, after):
        del status["storage"]["disk"]
    assert after == before
    assert len(demonstration.mails()) == mails


def test_a_backfill_over_days_that_are_done_says_nothing_twice(demonstration: Demonstration) -> None:
    before, mails = demonstration.status(), len(demonstration.mails())
    client: AirflowClient = demonstration.stack.client()
    first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in LIVE)
    runs = len(client.runs("cards_score"))
    number = client.create_backfill("cards_ingest", first, last, reprocess="completed")
    wait_until(lambda: client.backfill_completed(number))
    wait_until(lambda: len(client.runs("cards_score")) == runs + LIVE_DAYS)
    wait_until(lambda: all(run.finished for run in client.runs("cards_score") + client.runs("cards_notify")))
    after = demonstration.status()
    assert after["portfolios"] == before["portfolios"]
    assert len(demonstration.mails()) == mails


def test_ingest_without_a_partition_says_what_to_give(demonstration: Demonstration) -> None:
    client: AirflowClient = demonstration.stack.client()
    with pytest.raises(RunFailedError, match="no partition was given, so there is nothing to do"):
        client.wait_for_run(client.trigger("cards_ingest"), timeout=60)


def test_a_day_given_in_the_form_is_ingested_and_scored(demonstration: Demonstration) -> None:
    client: AirflowClient = demonstration.stack.client()
    runs = len(client.runs("cards_score"))
    client.wait_for_run(client.trigger("cards_ingest", conf={"partition": LIVE[1]}), timeout=60)
    wait_until(lambda: len(client.runs("cards_score")) == runs + 1)
    assert client.newest_runs("cards_score")[0].partition_key == LIVE[1]


def test_a_corrected_day_is_told_and_the_days_after_it_are_scored_again(demonstration: Demonstration) -> None:
    client: AirflowClient = demonstration.stack.client()
    before = demonstration.status()["portfolios"]["cards"]
    (file,) = (demonstration.stack.settings.landing / "cards").glob(f"transactions_{LIVE[0]}.csv*")
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    corrected = b"\n".join(content.splitlines()[:-1]) + b"\n"
    file.write_bytes(gzip.compress(corrected) if file.suffix == ".gz" else corrected)
    run = client.trigger("cards_ingest", conf={"partition": LIVE[0]})
    client.wait_for_run(run, timeout=120)
    wait_until(lambda: any(found.run_id == f"after__{run.run_id}" for found in client.runs("cards_reconcile")))
    wait_until(lambda: all(found.finished for found in client.runs("cards_reconcile") + client.runs("cards_score")))
    after = demonstration.status()["portfolios"]["cards"]
    assert (after["rows"], after["stale"], after["scored"]) == (before["rows"] - 1, 0, before["scored"])
    wait_until(lambda: any("published partition changed" in str(m["Subject"]) for m in demonstration.mails()))
    (mail,) = (mail for mail in demonstration.mails() if "published partition changed" in str(mail["Subject"]))
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "0 rows added, 0 changed, 1 removed" in text
    assert file.name in text
