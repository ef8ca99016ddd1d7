"""From a CSV to published partitions, beside a bare conversion of the same file to Parquet."""
