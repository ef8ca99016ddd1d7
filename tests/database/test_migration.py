from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest
from fraudops.database import Base, migrate, open_engine
from fraudops.database.migration import current_revision, revisions
from fraudops.errors import ConfigurationError
from fraudops.stack.postgres import Postgres
from sqlalchemy import inspect, text

_numbers = itertools.count(1)
ROWS = """
insert into ledger (number, at, portfolio, actor, action, subject, details, previous, digest, signature)
    values (1, now(), 'p', 'a', 'promoted', 's', '{}', repeat('0', 64), repeat('1', 64), repeat('2', 64));
insert into model_version (id, portfolio, number, run_id, candidate, as_of, trained_until, artifact, artifact_sha256,
        metrics, thresholds, lineage, created_at)
    values (1, 'p', 1, 'r', 'c', now(), now(), 'a', repeat('3', 64), '{}', '{}', '{}', now());
insert into verdict (id, portfolio, run_id, challenger_id, outcome, reason, gates, as_of, created_at)
    values (1, 'p', 'r', 1, 'PROMOTE', 'better', '[]', now(), now());
insert into alert (id, portfolio, partition_key, transaction_id, event_time, amount_minor, minor_digits, currency,
        score, decision, reasons, model_id, as_of, created_at)
    values (1, 'p', '2026-03-05', 't', now(), 1250, 2, 'EUR', 0.9, 'block', '[]', 1, now(), now());
insert into notice (id, portfolio, kind, dedupe_key, message_id, recipients, sender, subject, text, html, state,
        attempts, as_of, queued_at)
    values (1, 'p', 'digest', 'd', 'm', '[]', 's', 's', 't', 'h', 'sent', 1, now(), now());
"""
"""A row of each of the first tables."""


@pytest.fixture
def url(postgres: Postgres) -> str:
    """An empty database."""
    name = f"migration_{os.getpid()}_{next(_numbers)}"
    postgres.ensure_database(name)
    return postgres.url(name)


@pytest.mark.parametrize("revision", revisions())
def test_tables_of_every_revision_are_brought_up_to_date_with_what_is_in_them(url: str, revision: str) -> None:
    migrate(url, revision)
    with open_engine(url).begin() as connection:
        connection.execute(text(ROWS))
    migrate(url)
    assert current_revision(url) == revisions()[-1]
    with open_engine(url).begin() as connection:
        found = connection.execute(text("select transaction_id, amount_minor, route from alert")).one()
        assert tuple(found) == ("t", 1250, "policy")
        assert connection.execute(text("select kind from verdict")).scalar() == "training"
    columns = inspect(open_engine(url))
    for table in Base.metadata.sorted_tables:
        assert {column["name"] for column in columns.get_columns(table.name)} == set(table.columns.keys()), table.name


def test_tables_that_a_newer_version_made_are_refused(url: str) -> None:
    migrate(url)
    with open_engine(url).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '0999_tomorrow'"))
    with pytest.raises(ConfigurationError, match=r"0999_tomorrow.*a newer one has changed them.*use that version"):
        migrate(url)


def test_two_that_start_at_once_wait_for_each_other(url: str) -> None:
    # Processes and not threads: Alembic keeps its context in a global variable.
    program = "import sys; from fraudops.database import migrate; migrate(sys.argv[1])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    started = [subprocess.Popen([sys.executable, "-c", program, url], env=environment) for _ in range(2)]
    assert [process.wait() for process in started] == [0, 0]
    assert current_revision(url) == revisions()[-1]
