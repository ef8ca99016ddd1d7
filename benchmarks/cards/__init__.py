"""The simulated card payments: what the portfolio's candidates reach, and what could be reached at all."""
