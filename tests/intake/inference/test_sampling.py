"""How a file is written is found out, whatever it is; long files are sampled all over, in bounded memory."""

from __future__ import annotations

import gzip
import itertools
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fraudops.errors import ContractError
from fraudops.intake.inference import sampling
from fraudops.intake.inference.sampling import Sample, read_sample


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    content = text.encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def first(sample: Sample) -> list[list[str]]:
    return [column.to_pylist()[:2] for column in sample.columns]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_delimiter_and_encoding_are_found_out(tmp_path: Path, delimiter: str, encoding: str, name: str) -> None:
    rows = [["größe", "ort"], ["1,5", "München"], ["2,5", "Köln"]]
    lines = [delimiter.join(f'"{field}"' if delimiter in field else field for field in row) for row in rows]
    sample = read_sample(written(tmp_path / name, "\n".join(lines) + "\n", encoding))
    assert sample.names == ("größe", "ort")
    assert first(sample) == [["1,5", "2,5"], ["München", "Köln"]]
    assert sample.form.encoding == ("utf-8" if encoding == "utf-8-sig" else encoding)
    assert (sample.form.delimiter, sample.form.compressed) == (delimiter, name.endswith(".gz"))
    assert (sample.rows, sample.total_rows, sample.whole) == (2, 2, True)


def test_single_quotes_are_quotes_where_they_stand_around_fields(tmp_path: Path) -> None:
    quoted = written(tmp_path / "a.csv", "a,b\n" + "'x','1'\n" * 20)
    assert read_sample(quoted).form.quote == "'"
    apostrophe = written(tmp_path / "b.csv", "a,b\n" + "O'Neil,1\nd'Arc,2\n" * 20)
    assert read_sample(apostrophe).form.quote == '"'


def test_line_breaks_within_quotes_are_no_rows(tmp_path: Path) -> None:
    sample = read_sample(written(tmp_path / "a.csv", 'a,b\n1,"x\ny"\n2,z\n'))
    assert first(sample) == [["1", "2"], ["x\ny", "z"]]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_a_long_file_is_sampled_from_its_start_to_its_end(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "BLOCK", 2_000)
    rows = 120_000
    sample = read_sample(written(tmp_path / name, "n,text\n" + "".join(f"{n},row {n}\n" for n in range(rows))))
    numbers = [int(value) for value in sample.columns[0].to_pylist()]
    assert not sample.whole
    assert len(numbers) < rows / 5
    assert numbers[0] == 0
    assert numbers[-1] > 0.99 * rows
    assert max(b - a for a, b in itertools.pairwise(numbers)) < rows / 15
    assert abs(sample.total_rows / rows - 1) < 0.05
    assert set(sample.columns[1].to_pylist()) == {f"row {n}" for n in numbers}


def test_a_long_parquet_is_sampled_from_its_start_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "_ROWS", 100)
    pq.write_table(pa.table({"n": range(50_000)}), tmp_path / "a.parquet", row_group_size=400)
    sample = read_sample(tmp_path / "a.parquet")
    numbers = sample.columns[0].to_pylist()
    assert (sample.total_rows, sample.whole, numbers[0], numbers[-1]) == (50_000, False, 0, 49_999)
    assert len(numbers) < 10_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"1,2.5,3\n4,5,6\n", "looks like a row, not like a header"),
        (b"a,b\n", "a header and no rows"),
        (gzip.compress(b"a,b\n" + random.Random(1).randbytes(9000).hex(",").encode())[:-200], "cut off or damaged"),
        (b"PAR1 and then nothing", "not a Parquet file"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ContractError, match=message):
        read_sample(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no such file"):
        read_sample(tmp_path / "a.csv")
