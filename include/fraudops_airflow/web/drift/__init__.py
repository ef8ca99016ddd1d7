"""Whether what comes in is what the champion knows, and whether it is what was promised."""
