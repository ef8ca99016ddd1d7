"""Rules of law and policy: their numbers by date, their detectors, and what they found."""

HITS, HITS_PROTECTED = "rule_hits", "rule_hits_protected"
"""Datasets: what the rules found; names that a hit matched, which only those who may see personal data read."""
PROFILES, CASH = "rule_profiles", "rule_cash"
"""Datasets that spare reading the past again: each account's sums of a partition; the partition's cash transactions."""

DATASETS = (HITS_PROTECTED, HITS, CASH, PROFILES)
"""What was derived first."""
