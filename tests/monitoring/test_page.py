"""The page under Fraud Ops, on a bank that has drifted."""

from __future__ import annotations

import os
import tempfile
from xml.etree import ElementTree

# Airflow writes a configuration file when it is first imported: into a folder of this test run, not a person's.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="fo-airflow-"))

import re

from fastapi.testclient import TestClient
from fraudops.monitoring.watch import monitor
from fraudops_airflow.web import app as web
from fraudops_airflow.web.archive import Archive

from tests.monitoring.conftest import HISTORY, Bank


def client(bank: Bank) -> TestClient:
    """Somebody who is logged in."""
    web.create_app.cache_clear()
    app = web.create_app()
    portfolios = {bank.portfolio.name: bank.portfolio}
    archive = Archive(bank.ws.store, bank.ws.database_url, portfolios, bank.ws)
    app.dependency_overrides[web.open_archive] = lambda: archive
    app.dependency_overrides[web.signed_in] = lambda: None
    return TestClient(app)


def test_the_page_shows_status_performance_with_its_estimate_and_distributions(bank: Bank) -> None:
    keys = [bank.day(HISTORY + n, raise_amounts=4.0) for n in range(14)]
    bank.score(*keys)
    monitor(bank.ws, bank.portfolio, keys)
    page = client(bank).get("/monitoring/cards").text
    assert 'class="tag bad">act</span> since' in page
    assert "PSI" in page
    assert 'class="measured"' in page
    assert 'class="estimate"' in page
    assert "estimate without labels: it trusts the scores" in page
    assert "style=" not in page, "the policy lets no inline style through"
    for picture in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        ElementTree.fromstring(picture)
        assert "nan" not in picture
    overview = client(bank).get("/monitoring").text
    assert 'href="/monitoring/cards"' in overview
    assert "amount of all transactions: PSI" in overview
    assert 'href="/monitoring/cards">Monitoring</a>' in client(bank).get("/").text


def test_before_anything_was_looked_at_the_page_says_so(bank: Bank) -> None:
    assert "Nothing has been monitored yet" in client(bank).get("/monitoring").text
    assert client(bank).get("/monitoring/cards").status_code == 404
    assert client(bank).get("/monitoring/nobody").status_code == 404
