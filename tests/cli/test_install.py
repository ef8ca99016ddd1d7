"""``make`` and ``tools/install.sh`` with stand-ins for Python: what is wrong is named, nothing is done twice."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

GOOD = """#!/bin/sh
case "$1" in
  -c) exit 0 ;;
  --version) echo "Python 3.12.1" ;;
  -m) if [ "$2" = venv ]; then
        mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; echo venv >>calls
      else
        shift; echo "$*" >>calls
        [ -e "fail_$1" ] && exit 1
      fi ;;
esac
exit 0
"""
OLD = '#!/bin/sh\n[ "$1" = --version ] && { echo "Python 3.9.2"; exit 0; }\nexit 1\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a check out"
    (folder / "tools").mkdir(parents=True)
    (folder / "bin").mkdir()
    for name in ("Makefile", "requirements.txt", "pyproject.toml", "tools/install.sh"):
        shutil.copy(CHECKOUT / name, folder / name)
    for name in ("sh", "make", "cat", "rm", "mkdir", "cp", "grep", "sed", "expand", "basename"):
        found = shutil.which(name)
        assert found
        (folder / "bin" / name).symlink_to(found)
    return folder


def add(checkout: Path, name: str, code: str) -> None:
    file = checkout / "bin" / name
    file.write_text(code)
    file.chmod(0o755)


def make(checkout: Path, target: str = "install") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout / "bin"), "HOME": str(checkout)}
    return subprocess.run(["make", target], cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def calls(checkout: Path) -> list[str]:
    file = checkout / "calls"
    found = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return found


def test_help_lists_every_target() -> None:
    found = subprocess.run(["make"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    for target in ("install", "demo", "up", "down", "reset", "status", "test", "lint", "lock", "clean"):
        assert f"make {target} " in found


def test_an_old_python_is_named(checkout: Path) -> None:
    add(checkout, "python3", OLD)
    found = make(checkout)
    assert found.returncode != 0
    assert "needs Python 3.11 or newer; found only:" in found.stderr
    assert "(Python 3.9.2)" in found.stderr
    assert "apt install python3.11" in found.stderr
    assert not (checkout / ".venv").exists()


def test_no_python_is_named(checkout: Path) -> None:
    assert "no Python was found" in make(checkout).stderr


def test_a_python_without_venv_is_named(checkout: Path) -> None:
    add(checkout, "python3.11", GOOD.replace('mkdir -p "$3/bin"', 'echo "No module named venv" >&2; exit 1'))
    found = make(checkout)
    assert found.returncode != 0
    assert "No module named venv" in found.stderr
    assert "apt install python3.11-venv" in found.stderr
    assert not (checkout / ".venv").exists()


def test_a_newer_python_is_found_beside_an_old_one(checkout: Path) -> None:
    add(checkout, "python3", OLD)
    add(checkout, "python3.12", GOOD)
    found = make(checkout)
    assert found.returncode == 0, found.stderr
    assert "bin/python3.12 (Python 3.12.1)" in found.stderr


def test_it_is_done_once_and_again_when_the_requirements_change(checkout: Path) -> None:
    add(checkout, "python3.11", real_digests(GOOD))
    assert make(checkout).returncode == 0
    done = calls(checkout)
    assert done[0] == "venv"
    assert any("--editable ." in call and "--no-deps" in call for call in done)
    assert make(checkout).returncode == 0
    assert calls(checkout) == []
    with (checkout / "requirements.txt").open("a") as file:
        file.write("# changed\n")
    assert make(checkout).returncode == 0
    again = calls(checkout)
    assert "venv" not in again
    assert again


def test_without_uv_pip_does_it(checkout: Path) -> None:
    add(
        checkout,
        "python3.11",
        real_digests(GOOD).replace("shift; echo", '[ "$3 $7" = "install uv" ] && exit 1\n shift; echo'),
    )
    found = make(checkout)
    assert found.returncode == 0, found.stderr
    assert any("-r requirements.txt" in call for call in calls(checkout))


def test_an_interrupted_installation_is_repaired(checkout: Path) -> None:
    add(checkout, "python3.11", real_digests(GOOD))
    (checkout / "fail_pip").touch()
    found = make(checkout)
    assert found.returncode != 0
    assert "the packages of requirements.txt could not be installed" in found.stderr
    (checkout / "fail_pip").unlink()
    calls(checkout)
    found = make(checkout)
    assert found.returncode == 0, found.stderr
    assert "an earlier installation was interrupted" in found.stderr
    assert calls(checkout)[0] == "venv"


def test_a_venv_whose_python_is_gone_is_made_again(checkout: Path) -> None:
    add(checkout, "python3.11", real_digests(GOOD))
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python")
    found = make(checkout)
    assert found.returncode == 0, found.stderr
    assert "has no working Python 3.11 or newer" in found.stderr


def real_digests(code: str) -> str:
    """The stand-in, with the one piece of Python that the script really needs: a digest of its input."""
    real = os.path.realpath(shutil.which("sha256sum") or "sha256sum")
    return code.replace("  -c) exit 0 ;;", f'  -c) case "$2" in *hashlib*) {real} ;; esac; exit 0 ;;')
