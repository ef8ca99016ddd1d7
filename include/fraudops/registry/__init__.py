"""Versions, verdicts, champion: which model may be used, since when, on whose word."""
