"""What is kept, for how long, and whether it is still what was written: retention, legal holds, sizes, verification."""
