"""The service as a process: it answers, takes leave, finishes what is open, and ends with 0."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from fraudops.stack.ports import any_free

from .paper import AUTHORIZED, ROW

CHECKOUT = Path(__file__).resolve().parents[2]


def test_who_is_asked_to_stop_answers_first() -> None:
    port = any_free()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.serving.paper_process", str(port), "1.5"],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": f"{CHECKOUT / 'include'}:{CHECKOUT}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    answers: list[Any] = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=AUTHORIZED, timeout=20) as client:
        try:
            _wait_for(client)
            body = {"portfolio": "cards", "transaction": ROW}
            slow = threading.Thread(target=lambda: answers.append(client.post("/v1/score", json=body)))
            slow.start()
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            assert client.get("/readyz").status_code == 503
            slow.join(20)
            output, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0
    assert answers[0].status_code == 200
    lines = [json.loads(line) for line in output.splitlines()]
    (request,) = (line for line in lines if line["message"] == "request" and line["route"] == "/v1/score")
    assert (request["status"], request["rows"], request["portfolio"]) == (200, 1, "cards")


def _wait_for(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the service did not come up")
