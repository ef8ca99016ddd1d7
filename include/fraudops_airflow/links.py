"""Buttons on task instances that lead to the page of what the task left.

Airflow asks for them in the api-server at each look at a task of any DAG, so that nothing is read here: which page it
is, and whether there is one, is found out when somebody presses the button.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

import attrs
from airflow.configuration import conf
from airflow.sdk.bases.operatorlink import BaseOperatorLink

FRAME = "/plugin/fraud-ops"
"""Where Airflow shows Fraud Ops in its own frame; what follows is the path within."""
MOUNTED = "/fraud-ops"

PAGES: dict[str, dict[str, tuple[str, ...]]] = {
    "Validation": {"ingest": ("validate.check_and_publish",), "land": ("validate.check_and_publish",)},
    "Quarantine": {"ingest": ("land",), "land": ("land",)},
    "Alerts": {"score": ("score",)},
    "Monitoring": {"monitor": ("monitor",)},
    "Hits": {"comply": ("comply",)},
    "Training report": {
        "train": ("train_candidates.train", "compare.report", "compare.announce"),
        "evaluate": ("report",),
        "promote": ("approval.ask", "promote"),
    },
    "Comparison": {"train": ("compare.verdict", "is_promote"), "promote": ("approval.ask",)},
    "Evidence": {"train": ("compare.evidence",), "promote": ("promote",), "rollback": ("rollback", "file_evidence")},
    "Restatement": {"restate": ("restate", "record")},
    "Monthly pack": {"report": ("make",)},
    "Verification": {"verify": ("verify",)},
}
"""Label of a button → workflow → the tasks that have it."""


@attrs.define()
class PageLink(BaseOperatorLink):
    """One button; it shows on the tasks that :data:`PAGES` gives it."""

    label: str

    @property
    def name(self) -> str:
        """What the button says."""
        return self.label

    def get_link(self, operator: Any, *, ti_key: Any) -> str | None:  # type: ignore[override]
        """The address that leads on to the page; None: not a task of this kind, and Airflow shows no button."""
        dag = operator.get_dag() if hasattr(operator, "get_dag") else getattr(operator, "dag", None)
        tags = set(getattr(dag, "tags", None) or ())
        workflow = ti_key.dag_id.rpartition("_")[2]
        if not {"fraudops", workflow} <= tags or ti_key.task_id not in PAGES[self.label].get(workflow, ()):
            return None
        base = urlsplit(conf.get("api", "base_url", fallback="/")).path.rstrip("/")
        place = "/".join(quote(part, safe="") for part in (ti_key.dag_id, ti_key.run_id, self.label))
        return f"{base}{FRAME}{base}{MOUNTED}/left/{place}"


LINKS = [PageLink(label) for label in PAGES]
