"""The command line: `fraudops`."""
