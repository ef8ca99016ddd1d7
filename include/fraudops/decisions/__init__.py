"""Scores become decisions, decisions become alerts."""
