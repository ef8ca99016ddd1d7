"""Styles and scripts: compressed once, kept by browsers for as long as they are the same, and nothing else."""

from __future__ import annotations

import gzip
import json

from fastapi.testclient import TestClient
from fraudops_airflow.web import assets
from fraudops_airflow.web.charts import Chart, script_json


def test_plotly_comes_out_of_the_installed_wheel(client: TestClient) -> None:
    address = assets.address("", assets.PLOTLY)
    with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 2


def test_an_address_of_another_version_is_not_kept(client: TestClient) -> None:
    answer = client.get(f"/assets/{'0' * 16}/style.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


def test_nothing_else_is_an_asset(client: TestClient) -> None:
    for name in ("../app.py", "..%2fapp.py", "app.py", "style.css.bak", ".css", "base.html", "no.css"):
        assert client.get(f"/assets/{'0' * 16}/{name}").status_code == 404, name


def test_data_of_a_chart_cannot_end_its_element() -> None:
    hostile = "</script><script>alert(1)</script>\u2028&<!--"
    data = Chart("x", "label", [{"text": [hostile]}]).data
    assert not set("<>&\u2028") & set(data)
    assert json.loads(data)["traces"][0]["text"] == [hostile]
    assert script_json([hostile]) == script_json([hostile])
