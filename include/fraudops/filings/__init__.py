"""Clocks of what must be reported by a day, and drafts of the reports. Confidential: see ``docs/filings.md``."""
