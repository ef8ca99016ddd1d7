"""How long all rules take over a day of a large bank."""
