"""Features of single transactions, as they happen: what they cost, and whether they are those of the batch."""
