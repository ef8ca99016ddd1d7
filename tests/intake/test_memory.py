"""Reading takes as much memory for a large file as for a small one; so do files that are wrong from end to end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import HEADER, row

_READ = """
import sys
from pathlib import Path
from fraudops.intake.feeds import transactions_feed
from fraudops.intake.mapping import Mapper
from fraudops.intake.reading import read_batches
from tests.intake.conftest import make_portfolio
feed = transactions_feed(make_portfolio())
mapper = Mapper(feed, b"k" * 32)
for path in sys.argv[1:]:
    rows = sum(m.rows.num_rows + len(m.rejected) for m in map(mapper.map, read_batches(Path(path), feed, [])))
    # Not getrusage: a process begins there with what its parent had.
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(rows, int(peak.split()[1]) // 1024)
"""


def _rows_and_peaks(*paths: Path) -> list[tuple[int, int]]:
    """Rows of each file, and the most memory in MB that a process has taken once it has read it after the others."""
    found = subprocess.run(
        [sys.executable, "-c", _READ, *map(str, paths)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["include", "."])},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [(int(rows), int(peak)) for rows, peak in zip(found[::2], found[1::2], strict=True)]


def _write(path: Path, block: str, megabytes: int) -> int:
    """Repeat a block of rows until a file has its size; returns how many blocks it took."""
    count = megabytes * 1_000_000 // len(block)
    with path.open("w") as file:
        file.write(HEADER + "\n")
        for _ in range(count):
            file.write(block)
    return count


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from Linux' /proc")
@pytest.mark.parametrize(
    "block",
    [
        "".join(f"{row(n)}\n" for n in range(2_000)),
        "\n" * 500_000 + f"{row(1)}\n",
        "".join(f"{row(n)}\n" for n in range(2_000)) + row(1, channel='"open') + "\n",
    ],
    ids=["good rows", "blank lines", "a broken row among thousands"],
)
def test_a_file_five_times_as_long_takes_no_more_memory(tmp_path: Path, block: str) -> None:
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    # The peak is reached within the first 8 MB; 32 MB more would show, were only their bytes kept.
    blocks = _write(small, block, 8), _write(large, block, 40)
    (few, before), (many, after) = _rows_and_peaks(small, large)
    assert (few, many) == tuple(count * _rows(block) for count in blocks)
    assert after < before + 25
    large.unlink()


def _rows(block: str) -> int:
    return sum(1 for line in block.splitlines() if line)
