"""A bare conversion of a CSV to Parquet by pyarrow: nothing is checked, and nothing is sorted or recorded."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq


def main() -> None:
    """Convert a file on one thread and print the CPU time, imports aside."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv", type=Path)
    parser.add_argument("parquet", type=Path)
    options = parser.parse_args()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    started = time.process_time()
    rows = convert(options.csv, options.parquet)
    print(json.dumps({"cpu_seconds": time.process_time() - started, "rows": rows}))


def convert(csv: Path, parquet: Path) -> int:
    """Convert a CSV of numbers; returns how many rows it has."""
    with csv.open() as file:
        names = [name.strip('"') for name in file.readline().strip().split(",")]
    # Told beforehand: pyarrow takes the first column for whole numbers, and stumbles over its one "1e+05".
    types = dict.fromkeys(names, pa.float64())
    reader = pv.open_csv(
        csv,
        read_options=pv.ReadOptions(use_threads=False),
        convert_options=pv.ConvertOptions(column_types=types),
    )
    rows = 0
    with pq.ParquetWriter(parquet, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


if __name__ == "__main__":
    main()
