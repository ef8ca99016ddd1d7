"""CPU time of a stack's processes."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path


def cpu_seconds(state: Path) -> dict[str, float]:
    """By component: user and system time of its processes and of those of their children that have ended.

    Parameters
    ----------
    state
        The stack's folder, which stands in the environment or the command line of each of its processes.
    """
    tick = os.sysconf("SC_CLK_TCK")
    parents: dict[int, int] = {}
    every: dict[int, tuple[str, float]] = {}
    marked: set[int] = set()
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            fields = (place / "stat").read_text().rpartition(") ")[2].split()
            has_mark = str(state) in command or str(state).encode() in (place / "environ").read_bytes()
        except OSError:
            continue
        number = int(place.name)
        parents[number] = int(fields[1])
        every[number] = (command, sum(int(value) for value in fields[11:15]) / tick)
        if has_mark and number != os.getpid():
            marked.add(number)
    # PostgreSQL's processes write their titles over their environment: they are known by their parent.
    own = {number: every[number] for number in every if _descends(number, marked, parents)}
    found: dict[str, float] = defaultdict(float)
    for number, (command, seconds) in own.items():
        found[_component(number, command, own, parents)] += seconds
    return dict(found)


def _descends(number: int, marked: set[int], parents: dict[int, int]) -> bool:
    while number and number not in marked:
        number = parents.get(number, 0)
    return number in marked


def _component(number: int, command: str, own: dict[int, tuple[str, float]], parents: dict[int, int]) -> str:
    while True:
        for name in ("scheduler", "api-server", "dag-processor", "triggerer", "postgres", "mailsink"):
            if name in command.replace("_", "-").replace("mail-sink", "mailsink"):
                return name
        number = parents.get(number, 0)
        if number not in own:
            return "other"
        command = own[number][0]
