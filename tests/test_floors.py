"""A room of the library imports only from floors below its own, as docs/architecture.md draws them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
LIBRARY = CHECKOUT / "include" / "fraudops"
PAGE = CHECKOUT / "docs" / "architecture.md"


def floors() -> list[list[str]]:
    """Rooms of each floor of the page's table, the highest first."""
    section = PAGE.read_text().split("## The library's floors")[1].split("\n## ")[0]
    cells = [line.split("|")[2] for line in section.splitlines() if line.startswith("|")][2:]
    return [re.findall(r"`(\w+)`", _without_parentheses(cell)) for cell in cells]


def _without_parentheses(text: str) -> str:
    inner = re.compile(r"\([^()]*\)")
    while inner.search(text):
        text = inner.sub("", text)
    return text


def rooms_imported(source: str) -> Iterator[tuple[int, str]]:
    """Line and room of every import from the library, also within functions; what only names a type is none."""
    tree = ast.parse(source)
    of_types = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for statement in branch.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in of_types:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the library imports by full names"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "fraudops":
                yield node.lineno, rest.partition(".")[0]


def climbs(room: str, source: str, level: dict[str, int]) -> list[str]:
    """Imports of a room that do not go down."""
    return [
        f"line {line}: {room} imports {other}"
        for line, other in rooms_imported(source)
        if other not in (room, "__version__") and level[other] <= level[room]
    ]


def modules() -> Iterator[tuple[str, Path]]:
    """Every module with its room."""
    for path in sorted(LIBRARY.rglob("*.py")):
        room = path.relative_to(LIBRARY).parts[0].removesuffix(".py")
        if room == "__main__":
            yield "cli", path
        elif room != "__init__":
            yield room, path


def test_every_room_has_a_floor() -> None:
    named = [room for floor in floors() for room in floor]
    assert sorted(named) == sorted({room for room, _ in modules()})


def test_no_room_imports_from_its_own_floor_or_one_above() -> None:
    level = {room: number for number, floor in enumerate(floors()) for room in floor}
    found = {str(path.relative_to(LIBRARY)): climbs(room, path.read_text(), level) for room, path in modules()}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_a_climb_is_found_wherever_it_is_written() -> None:
    level = {"above": 0, "room": 1, "beside": 1, "below": 2}
    source = """
from typing import TYPE_CHECKING
from fraudops import __version__, beside
from fraudops.below import fine
from fraudops.room.within import fine
if TYPE_CHECKING:
    from fraudops.above import Type
def late():
    import fraudops.above.thing
"""
    assert climbs("room", source, level) == ["line 3: room imports beside", "line 9: room imports above"]
