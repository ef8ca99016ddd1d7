"""A made-up retail bank: who has accounts, what moves on them, what is known of the customers, and planted stories.

No person, business, account or sanctioned name in it exists. :mod:`fraudops.intake.simulation` writes its days as
landing files. What both worlds need (random numbers by day, first names) is in :mod:`fraudops.intake.simulator`.
"""

from fraudops.intake.accounts_simulator.world import AccountsWorld

__all__ = ["AccountsWorld"]
