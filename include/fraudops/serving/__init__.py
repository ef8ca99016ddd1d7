"""The scoring service: a transaction in, a probability and a decision out, in milliseconds."""
