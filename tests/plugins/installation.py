"""A small installation that the pages show: three partitions, a champion, alerts, notices, and what runs left."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from fraudops.database import Alert, ModelVersion, Notice, PromotionRecord, Verdict
from fraudops.workspace import Workspace

RUN = "manual__2026-03-20T20:00:00+00:00"
AS_OF = datetime(2026, 3, 20, tzinfo=UTC)


def fill(workspace: Workspace) -> None:
    """Put it there."""
    store = workspace.store
    for day in ("2026-03-17", "2026-03-18", "2026-03-19"):
        store.write("transactions", "cards", day, pa.table({"transaction_id": [day]}), config="c")
    for day in ("2026-03-18", "2026-03-19"):
        store.write("scores", "cards", day, pa.table({"transaction_id": [day]}), config="c")
    store.put(b"<h1>Curves</h1><img src='roc.png'>", "reports", "cards", RUN, "index.html")
    store.put(b"\x89PNG", "reports", "cards", RUN, "roc.png")
    store.put(b"secret", "reports", "cards", RUN, "dataset.parquet")
    store.put(b"model", "models", "cards", "v1", "model.joblib")
    for day, passed in (("2026-03-18", True), ("2026-03-19", False)):
        result = {"key": day, "passed": passed, "checks": 31, "failures": [] if passed else ["<b>mean</b> amount"]}
        store.put(json.dumps(result).encode(), "validation", "cards", f"date={day}", "result.json")
        store.put(b"<h1>Data Docs</h1>", "validation", "cards", f"date={day}", "index.html")
    summary = {"file": "transactions_2026-03-19.csv.gz", "rows": 3, "reasons": {"no amount": 2, "duplicate": 1}}
    store.put(json.dumps(summary).encode(), "quarantine", "cards", "file=0123456789abcdef", "summary.json")
    clean = {"file": "transactions_2026-03-18.csv.gz", "rows": 0, "reasons": {}}
    store.put(json.dumps(clean).encode(), "quarantine", "cards", "file=00000000deadbeef", "summary.json")
    store.put(b"PAR1 rejected row", "quarantine", "cards", "file=0123456789abcdef", "rows.parquet")
    with workspace.transaction() as session:
        model = ModelVersion(
            portfolio="cards",
            number=1,
            run_id=RUN,
            candidate="lightgbm",
            as_of=AS_OF,
            trained_until=AS_OF - timedelta(days=7),
            artifact="models/portfolio=cards/v1/model.joblib",
            artifact_sha256="0" * 64,
            metrics={"average_precision": 0.7654, "average_precision_interval": [0.7, 0.82]},
            thresholds={},
            lineage={},
            created_at=AS_OF,
        )
        session.add(model)
        session.flush()
        verdict = Verdict(
            portfolio="cards",
            run_id=RUN,
            challenger_id=model.id,
            outcome="PROMOTE",
            reason="better than the <script>floor</script>",
            gates=[],
            as_of=AS_OF,
            created_at=AS_OF,
        )
        entry = workspace.record(
            session, portfolio="cards", actor="validator", action="promoted", subject="cards/models/v1"
        )
        session.add(verdict)
        session.flush()
        session.add(
            PromotionRecord(
                portfolio="cards",
                model_id=model.id,
                verdict_id=verdict.id,
                kind="promotion",
                effective_from=AS_OF,
                approved_by="vera.validator",
                reason="read the report",
                promoted_at=AS_OF,
                ledger_number=entry.number,
            )
        )
        for number, decision in enumerate(("review", "review", "block")):
            session.add(
                Alert(
                    portfolio="cards",
                    partition_key="2026-03-19",
                    transaction_id=f"t-confidential-{number}",
                    event_time=AS_OF,
                    amount_minor=100,
                    minor_digits=2,
                    currency="EUR",
                    score=0.9,
                    decision=decision,
                    reasons=["a reason"],
                    model_id=model.id,
                    as_of=AS_OF,
                    created_at=AS_OF,
                )
            )
        for number, state in enumerate(("sent", "sent", "waiting", "uncertain")):
            session.add(
                Notice(
                    portfolio="cards",
                    kind="digest",
                    dedupe_key=str(number),
                    message_id=str(number),
                    recipients=["compliance@bank.example"],
                    sender="fraudops@bank.example",
                    subject="s",
                    text="t",
                    html="h",
                    state=state,
                    attempts=1,
                    as_of=AS_OF,
                    queued_at=AS_OF,
                )
            )
