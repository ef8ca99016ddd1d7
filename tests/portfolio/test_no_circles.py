"""Modules of the room import each other in one direction, for types too."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import fraudops.portfolio

ROOM = Path(fraudops.portfolio.__file__).parent
PREFIX = "fraudops.portfolio."


def test_no_module_needs_itself_on_the_way() -> None:
    imports = {
        path.stem: {
            str(node.module).removeprefix(PREFIX)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(PREFIX)
        }
        for path in ROOM.glob("*.py")
        if path.stem != "__init__"
    }
    assert "columns" in imports["schema"]
    # Names the circle where there is one.
    TopologicalSorter(imports).prepare()
