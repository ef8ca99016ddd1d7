"""The kinds of planted stories: what somebody does, each in several variations, and decoys that only look like it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from fraudops.intake.accounts_simulator import cash_plots as cash
from fraudops.intake.accounts_simulator import transfer_plots as transfers
from fraudops.intake.accounts_simulator.scenes import Plot


@dataclass(frozen=True)
class Kind:
    """A kind of story."""

    name: str
    part: str
    """Of the cast."""
    plots: tuple[Plot, ...]
    rules: tuple[str, ...]
    every: float
    """Days from one to the next, on average."""
    decoy: bool = False
    after: int = 16
    """Days of the world before the first one: there has to be a past to differ from."""


KINDS = (
    Kind("structuring", "structuring",
         (cash.structuring_one_branch, cash.structuring_branches, cash.structuring_split, cash.structuring_slow,
          cash.structuring_nights, cash.structuring_people, cash.structuring_out), ("structuring",), 4),
    Kind("smurfing", "smurfing", (cash.smurfing_accounts, cash.smurfing_people), ("cash_over_threshold",), 12),
    Kind("smurfing_below", "smurfing_below", (cash.smurfing_below,), ("structuring",), 14),
    Kind("cash", "cash",
         (cash.cash_two_branches, cash.cash_weekend, cash.cash_on_behalf, cash.cash_one_cent, cash.cash_out,
          cash.cash_holiday, cash.cash_late, cash.cash_conductor), ("cash_over_threshold",), 4),
    Kind("cash_euro", "euro", (cash.cash_euro,), ("cash_over_threshold",), 15),
    Kind("mule", "mule",
         (transfers.mule_collects, transfers.mule_cash, transfers.mule_abroad, transfers.mule_waits),
         ("rapid_movement",), 5),
    Kind("fan_in", "fan_in", (transfers.fan_in, transfers.fan_in_slow), ("fan_in",), 9),
    Kind("fan_out", "fan_out", (transfers.fan_out, transfers.fan_out_slow), ("fan_out",), 9),
    Kind("dormant", "dormant", (transfers.dormant_drained, transfers.dormant_paying, transfers.dormant_cash),
         ("dormant_account",), 8, after=100),
    Kind("velocity", "velocity", (transfers.velocity, transfers.velocity_short), ("velocity",), 6),
    Kind("round", "round", (transfers.round_out, transfers.round_in), ("round_amounts",), 9),
    Kind("country", "country", (transfers.country_high_risk, transfers.country_new, transfers.country_in),
         ("unusual_country",), 6),
    Kind("profile", "profile", (transfers.profile,), ("amount_against_profile",), 9, after=45),
    Kind("edge", "edge",
         (cash.edge_exactly, cash.edge_in_and_out, cash.edge_two_days, cash.edge_cutoff, cash.edge_once),
         ("cash_over_threshold", "structuring"), 6, decoy=True),
)  # fmt: skip


def first_day(start: date, kind: Kind) -> date:
    """Day of a world from which on stories of a kind begin."""
    return start + timedelta(days=kind.after)
