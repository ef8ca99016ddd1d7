"""What a request costs that decides nothing: a bare FastAPI route. ``python -m benchmarks.serving.floor PORT``."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.post("/v1/score")
async def score(body: dict[str, Any]) -> dict[str, Any]:
    """Say something of the length of a decision."""
    return {
        "portfolio": body["portfolio"],
        "decision_id": "9ed15758-5bee-510b-870c-67b61be65421",
        "transaction_id": body["transaction"]["transaction_id"],
        "probability": 0.0013172486049119305,
        "decision": "allow",
        "thresholds": {"review": 0.581282352308043, "block": 0.7387281961122555},
        "reasons": [],
        "model_version": "v2",
    }


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
