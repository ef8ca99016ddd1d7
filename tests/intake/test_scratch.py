"""What a killed landing leaves in the temporary folder: deleted by the next one, which touches nothing in use."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from fraudops.intake.scratch import scratch_folder


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_it_is_gone_at_the_end(tmp_path: Path) -> None:
    with scratch_folder() as folder:
        (folder / "rows.arrow").write_bytes(b"rows")
        assert folder.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_the_next_one_deletes_what_a_killed_one_left(tmp_path: Path) -> None:
    dead = tmp_path / "fraudops-landing-dead"
    dead.mkdir()
    (dead / "in-use").touch()
    (dead / "rows.arrow").write_bytes(b"rows")
    with scratch_folder():
        assert not dead.exists()


def test_what_another_landing_uses_stays(tmp_path: Path) -> None:
    with scratch_folder() as first, scratch_folder() as second:
        assert first.exists()
        assert first != second
