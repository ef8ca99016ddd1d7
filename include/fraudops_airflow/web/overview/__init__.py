"""Each portfolio today, at a glance."""
