"""What the tests of the command line share."""

from __future__ import annotations

import pytest
from fraudops.cli import console


@pytest.fixture(autouse=True)
def wide_console(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables as on a wide terminal, whatever the width was when the console was first imported."""
    monkeypatch.setattr(console.out, "_width", 200)
