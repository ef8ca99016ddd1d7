"""Intake: landing files become validated partitions; a simulator writes such files."""
