"""Infers a portfolio from a data file: a first draft, with reasons, for a person to correct.

One module a question: how is the file written (``sampling``), what are its values (``profiling``), when did it
happen (``clocks``), what was fraud (``labelling``), what is each column for (``roles``), what gives the answer away
(``leaks``), how much is there (``surveying``), what follows from that (``planning``), and the YAML (``writing``).
"""

from fraudops.intake.inference.draft import Draft, infer

__all__ = ["Draft", "infer"]
