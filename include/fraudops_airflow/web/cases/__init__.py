"""Alerts and cases, as those who work them see them."""
