"""The watchdog of the local stack: whatever dies is started again, so that a night needs nobody.

``fraudops up`` starts it as a process of its own (:mod:`fraudops.stack.watching`), ``fraudops down`` ends it before
anything else. A stack in containers has the restart policy of its runtime instead.
"""

from __future__ import annotations

import os
import sys

from fraudops.settings import Settings
from fraudops.stack.environment import fraudops_variables
from fraudops.stack.folder import StackFolder
from fraudops.stack.processes import PART_VARIABLE, STACK_VARIABLE, end, members, spawn
from fraudops.stack.secrets import Secrets

WATCHDOG = "watchdog"


def start_watchdog(settings: Settings, secrets: Secrets, address: str) -> None:
    """Start the watchdog of a stack, unless it has one."""
    folder = StackFolder.of(settings)
    if members(folder.identity, [WATCHDOG]):
        return
    include = str(settings.home.absolute() / "include")
    # The caller's environment, not that of the parts: from it theirs is made again.
    environment = os.environ | fraudops_variables(settings, secrets, address)
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, [include, os.environ.get("PYTHONPATH", "")])),
        "PYTHONUNBUFFERED": "1",
        STACK_VARIABLE: folder.identity,
        PART_VARIABLE: WATCHDOG,
    }
    spawn(
        [sys.executable, "-m", "fraudops.stack.watching"],
        environment=environment,
        log=folder.logs / f"{WATCHDOG}.log",
        folder=settings.home,
    )


def end_watchdog(folder: StackFolder) -> int:
    """End the watchdog before anything else is ended; returns how many processes there were."""
    return end(folder.identity, [WATCHDOG])
