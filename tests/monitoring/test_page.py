"""The page under Fraud Ops, on a bank that has drifted."""

from __future__ import annotations

import os
import tempfile
from xml.etree import ElementTree

# Airflow writes a configuration file when it is first imported: into a folder of this test run, not a person's.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="fo-airflow-"))

import json
import re

from fastapi import Request
from fastapi.testclient import TestClient
from fraudops.monitoring.watch import monitor
from fraudops.roles import Roles
from fraudops_airflow.web import app as web
from fraudops_airflow.web.access import Person, remember, signed_in
from fraudops_airflow.web.archive import Archive, open_archive

from tests.monitoring.conftest import HISTORY, Bank

FIGURE = re.compile(r'<script type="application/json" id="[^"]+">(.*?)</script>', re.DOTALL)


def client(bank: Bank) -> TestClient:
    """Somebody who is logged in."""
    app = web.create_app()
    portfolios = {bank.portfolio.name: bank.portfolio}
    archive = Archive(bank.ws.store, bank.ws.database_url, portfolios, bank.ws)

    def known(request: Request) -> Person:
        return remember(request, Person("a.viewer", (), Roles(users={})))

    app.dependency_overrides = {open_archive: lambda: archive, signed_in: known}
    return TestClient(app)


def test_the_pages_of_a_bank_that_has_drifted(bank: Bank) -> None:
    keys = [bank.day(HISTORY + n, raise_amounts=4.0) for n in range(14)]
    bank.score(*keys)
    monitor(bank.ws, bank.portfolio, keys)
    visitor = client(bank)
    page = visitor.get("/monitoring/cards").text
    assert 'class="tag bad">act</span> since' in page
    assert "estimate without labels: it trusts the scores" in page
    assert "style=" not in page, "the policy lets no inline style through"
    for picture in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        ElementTree.fromstring(picture)
    figures = [json.loads(found) for found in FIGURE.findall(page)]
    names = {trace.get("name") for figure in figures for trace in figure["traces"]}
    assert {"measured (v1)", "estimated without labels", "act from here", "reference of v1"} <= names

    # Every column is reachable: by its name, its family, its level.
    assert (
        'href="/monitoring/cards/features%3Aamount"' in visitor.get("/monitoring/cards?q=AMOUNT&family=features").text
    )
    assert "No check is like that" in visitor.get("/monitoring/cards?q=nonsense").text
    assert "No check is like that" in visitor.get("/monitoring/cards?page=900").text

    amount = visitor.get("/monitoring/cards/features%3Aamount").text
    assert "amount of all transactions: PSI" in amount
    assert "What to do" in amount
    assert "chance: up to here" in amount
    assert visitor.get("/monitoring/cards/average-precision").status_code == 200
    assert visitor.get("/monitoring/cards/features%3Anonsense").status_code == 404
    assert visitor.get("/monitoring/cards/%2e%2e").status_code == 404

    assert "amount of all transactions: PSI" in visitor.get("/monitoring").text
    overview = visitor.get("/").text
    assert 'href="/monitoring/cards">Drift</a>' in overview
    assert "on the matured days" in overview

    # A look that was cut off takes the page's contents away, and says where.
    looks = bank.ws.store.path("checks", "cards", f"date={keys[-1]}")
    (looks / "manifest.json").write_bytes(b'{"half')
    for address in ("/", "/monitoring", "/monitoring/cards"):
        broken = visitor.get(address)
        assert broken.status_code == 200, address
        assert "the manifest cannot be read" in broken.text
        assert "half" not in broken.text.split("<main")[1]


def test_before_anything_was_looked_at_the_page_says_so(bank: Bank) -> None:
    assert "Nothing has been monitored yet" in client(bank).get("/monitoring").text
    assert "Nothing has been monitored yet" in client(bank).get("/monitoring/cards").text
    assert client(bank).get("/monitoring/cards/recall").status_code == 404
    assert client(bank).get("/monitoring/nobody").status_code == 404
