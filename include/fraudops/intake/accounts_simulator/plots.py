"""The planted stories: what somebody does, each in several variations, and decoys that only look like it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from fraudops.intake.accounts_simulator.fed_holidays import is_open
from fraudops.intake.accounts_simulator.moves import CARD, ONLINE, OUT, TRANSFER, WIRE
from fraudops.intake.accounts_simulator.scenes import Plot, Scene

_HIGH_RISK = ("KP", "IR", "MM")
_HAVENS = ("PA", "KY", "AE", "TR")


# -- cash --------------------------------------------------------------------------------------------------


def _structuring_one_branch(scene: Scene) -> str:
    for number in range(4):
        scene.deposit(scene.at(scene.open_day(number), 11), scene.between(9_000, 9_900, whole=1000))
    return "just below the threshold, four business days in a row, one branch"


def _structuring_branches(scene: Scene) -> str:
    for number in range(6):
        scene.deposit(scene.at(scene.open_day(number), 10 + number % 5), scene.between(6_000, 9_400), branch=number)
    return "six business days, another branch each day"


def _structuring_split(scene: Scene) -> str:
    for number in range(4):
        scene.deposit(scene.at(scene.open_day(number), 9.5), scene.between(4_400, 5_200, whole=2000))
        scene.machine(scene.at(scene.open_day(number), 15), scene.between(3_800, 4_600, whole=2000))
    return "twice a day at branch and machine, together below the threshold"


def _structuring_slow(scene: Scene) -> str:
    for number in range(0, 10, 2):
        scene.deposit(scene.at(scene.open_day(number), 14), scene.between(8_200, 9_800, whole=5000), branch=number % 3)
    return "every second business day, five times"


def _smurfing_accounts(scene: Scene) -> str:
    for number in range(2):
        for place in range(3):
            moment = scene.at(scene.open_day(number), 10 + 2 * place)
            scene.deposit(moment, scene.between(3_500, 4_400), branch=place, account=scene.account + place)
    return "one owner, three accounts, three branches, two days"


def _smurfing_people(scene: Scene) -> str:
    for place, other in enumerate(scene.others[:4]):
        scene.deposit(scene.at(scene.open_day(0), 10 + 1.5 * place), scene.between(2_800, 3_600), branch=place,
                      account=int(scene.people.account[other]), behalf=scene.subject)  # fmt: skip
    return "four people pay in for one beneficiary"


def _cash_two_branches(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 10), scene.between(5_600, 6_400))
    scene.deposit(scene.at(scene.open_day(0), 15), scene.between(5_000, 5_900), branch=1)
    return "two branches on one business day"


def _cash_weekend(scene: Scene) -> str:
    friday = scene.next(4)
    scene.machine(scene.at(friday, 20), scene.between(3_900, 4_400, whole=2000))
    scene.machine(scene.at(friday + timedelta(days=1), 12), scene.between(3_600, 4_000, whole=2000))
    scene.machine(scene.at(friday + timedelta(days=2), 16), scene.between(3_000, 3_600, whole=2000))
    return "Friday night, Saturday and Sunday count for one business day"


def _cash_on_behalf(scene: Scene) -> str:
    for place, other in enumerate(scene.others[:2]):
        scene.deposit(scene.at(scene.open_day(0), 11 + 3 * place), scene.between(5_200, 6_500), branch=place,
                      account=int(scene.people.account[other]), behalf=scene.subject)  # fmt: skip
    return "two customers pay in on behalf of a third"


def _cash_one_cent(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 12), 1_000_001)
    return "one cent more than the threshold"


def _cash_out(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 10), scene.between(6_000, 7_500), direction=OUT)
    scene.deposit(scene.at(scene.open_day(0), 16), scene.between(4_200, 5_500), branch=1, direction=OUT)
    return "cash paid out in two parts"


def _cash_holiday(scene: Scene) -> str:
    days = [scene.start + timedelta(days=number) for number in range(20)]
    closed = next((day for day in days if day.weekday() < 5 and not is_open(day)), scene.next(5))
    scene.machine(scene.at(closed, 12), scene.between(5_600, 6_400, whole=2000))
    after = next(day for number in range(1, 5) if is_open(day := closed + timedelta(days=number)))
    scene.deposit(scene.at(after, 11), scene.between(5_000, 5_800))
    return "a day without business and the one after it" if closed.weekday() < 5 else "Saturday and Monday"


def _cash_euro(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 12), scene.between(9_700, 9_950))
    return "less than the threshold in euros, more in dollars"


def _edge_exactly(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 10), 600_000)
    scene.deposit(scene.at(scene.open_day(0), 13), 400_000, branch=1)
    return "exactly the threshold on one day"


def _edge_in_and_out(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 10), 650_000)
    scene.deposit(scene.at(scene.open_day(0), 14), 620_000, direction=OUT)
    return "in and out are not added up"


def _edge_two_days(scene: Scene) -> str:
    scene.deposit(scene.at(scene.next(4), 11), 580_000)
    scene.deposit(scene.at(scene.next(4) + timedelta(days=4), 11), 590_000)
    return "two business days"


# -- transfers ---------------------------------------------------------------------------------------------


def _mule_collects(scene: Scene) -> str:
    day, total = scene.open_day(0), 0
    for number in range(5):
        minor = scene.between(1_400, 2_600)
        total += minor
        scene.receive(scene.at(day, 9 + number), minor, scene.external("US"), TRANSFER, fraud=True)
    scene.pay(scene.at(day, 19), round(total * 0.62), scene.external("US"), ONLINE, fraud=True)
    scene.pay(scene.at(day + timedelta(days=1), 8), round(total * 0.33), scene.external("US"), ONLINE, fraud=True)
    return "five payments in, nearly all of it out within a day"


def _mule_cash(scene: Scene) -> str:
    day, minor = scene.open_day(0), scene.between(7_000, 9_000)
    scene.receive(scene.at(day, 10), minor, scene.external("US"), TRANSFER, fraud=True)
    scene.machine(scene.at(day, 12), 80_000, direction=OUT)
    scene.deposit(scene.at(day, 14), round(minor * 0.8) // 2000 * 2000, direction=OUT)
    return "one payment in, out as cash on the same day"


def _mule_abroad(scene: Scene) -> str:
    day, minor = scene.open_day(0), scene.between(11_000, 16_000)
    scene.receive(scene.at(day, 11), minor, scene.external("GB"), WIRE, fraud=True)
    scene.pay(scene.at(day + timedelta(days=1), 10), round(minor * 0.96), scene.external("AE"), WIRE, fraud=True)
    return "in from one country, out to another the next day"


def _fan_in(scene: Scene) -> str:
    payers = 16 + int(scene.rng.integers(0, 8))
    for number in range(payers):
        moment = scene.at(scene.start + timedelta(days=number % 3), 8 + number % 12)
        scene.receive(moment, scene.between(60, 420), scene.external("US", 500 + 41 * number + scene.subject), ONLINE)
    return "many payers within three days"


def _fan_out(scene: Scene) -> str:
    payees = 16 + int(scene.rng.integers(0, 8))
    for number in range(payees):
        moment = scene.at(scene.start + timedelta(days=number % 2), 8 + number % 12)
        scene.pay(moment, scene.between(80, 480), scene.external("US", 900 + 43 * number + scene.subject), ONLINE)
    return "many payees within two days"


def _dormant_drained(scene: Scene) -> str:
    minor = scene.between(5_000, 9_000)
    scene.receive(scene.at(scene.open_day(0), 10), minor, scene.external("US"), TRANSFER)
    scene.pay(scene.at(scene.open_day(1), 11), round(minor * 0.9), scene.external("US"), ONLINE)
    return "money comes and goes on an account that had been quiet for months"


def _dormant_paying(scene: Scene) -> str:
    for number in range(3):
        scene.pay(scene.at(scene.open_day(number), 13), scene.between(1_500, 2_900), scene.external("US"), ONLINE)
    return "payments out of an account that had been quiet for months"


def _velocity(scene: Scene) -> str:
    channel = CARD if scene.subject % 2 else ONLINE
    start = scene.at(scene.start, 13)
    for number in range(24 + int(scene.rng.integers(0, 12))):
        moment = start + timedelta(seconds=95 * number + int(scene.rng.integers(0, 40)))
        scene.pay(moment, scene.between(4, 60), scene.external("US"), channel, fraud=True)
    return "cards" if channel == CARD else "online"


def _round(scene: Scene) -> str:
    for number in range(7):
        minor = 100_000 * int(scene.rng.integers(1, 5))
        scene.pay(scene.at(scene.open_day(number // 2), 9 + 3 * (number % 2)), minor, scene.external("US"), TRANSFER)
    return "seven payments of whole thousands"


def _country(scene: Scene, among: tuple[str, ...], what: str) -> str:
    country = among[int(scene.rng.integers(len(among)))]
    scene.pay(scene.at(scene.open_day(0), 12), scene.between(3_200, 8_800), scene.external(country), WIRE)
    return what


def _country_high_risk(scene: Scene) -> str:
    return _country(scene, _HIGH_RISK, "a country of high risk")


def _country_new(scene: Scene) -> str:
    return _country(scene, _HAVENS, "a country to which the customer never paid")


def _profile(scene: Scene) -> str:
    scene.pay(scene.at(scene.open_day(0), 14), scene.between(18_000, 32_000), scene.external("US"), WIRE)
    return "one payment far above all others"


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
         (_structuring_one_branch, _structuring_branches, _structuring_split, _structuring_slow), ("structuring",), 6),
    Kind("smurfing", "smurfing", (_smurfing_accounts, _smurfing_people), ("cash_over_threshold",), 9),
    Kind("cash", "cash", (_cash_two_branches, _cash_weekend, _cash_on_behalf, _cash_one_cent, _cash_out,
     _cash_holiday),
         ("cash_over_threshold",), 5),
    Kind("cash_euro", "euro", (_cash_euro,), ("cash_over_threshold",), 15),
    Kind("mule", "mule", (_mule_collects, _mule_cash, _mule_abroad), ("rapid_movement",), 5),
    Kind("fan_in", "fan_in", (_fan_in,), ("fan_in",), 9),
    Kind("fan_out", "fan_out", (_fan_out,), ("fan_out",), 9),
    Kind("dormant", "dormant", (_dormant_drained, _dormant_paying), ("dormant_account",), 8, after=100),
    Kind("velocity", "velocity", (_velocity,), ("velocity",), 6),
    Kind("round", "round", (_round,), ("round_amounts",), 9),
    Kind("country", "country", (_country_high_risk, _country_new), ("unusual_country",), 6),
    Kind("profile", "profile", (_profile,), ("amount_against_profile",), 9, after=45),
    Kind("edge", "edge", (_edge_exactly, _edge_in_and_out, _edge_two_days), ("cash_over_threshold", "structuring"), 6,
         decoy=True),
)  # fmt: skip


def first_day(start: date, kind: Kind) -> date:
    """Day of a world from which on stories of a kind begin."""
    return start + timedelta(days=kind.after)
