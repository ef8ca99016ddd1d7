"""A made-up world of card payments: who pays, where, how much, and what goes wrong.

No person, card or merchant in it exists. :mod:`fraudops.intake.simulation` writes its days as landing files.
"""

from fraudops.intake.simulator.fraud import Scenario
from fraudops.intake.simulator.world import World

__all__ = ["Scenario", "World"]
