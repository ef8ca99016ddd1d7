"""Transactions from a stream: read by a group of consumers, decided, and only then done with."""
