"""Planted stories of cash, and decoys of them; each puts its movements into a scene and says which variation it is."""

from __future__ import annotations

from datetime import timedelta

from fraudops.intake.accounts_simulator.fed_holidays import is_open
from fraudops.intake.accounts_simulator.moves import OUT
from fraudops.intake.accounts_simulator.scenes import Scene


def structuring_one_branch(scene: Scene) -> str:
    for number in range(4):
        scene.deposit(scene.at(scene.open_day(number), 11), scene.between(9_000, 9_900, whole=1000))
    return "just below the threshold, four business days in a row, one branch"


def structuring_branches(scene: Scene) -> str:
    for number in range(6):
        scene.deposit(scene.at(scene.open_day(number), 10 + number % 5), scene.between(6_000, 9_400), branch=number)
    return "six business days, another branch each day"


def structuring_split(scene: Scene) -> str:
    for number in range(4):
        scene.deposit(scene.at(scene.open_day(number), 9.5), scene.between(4_400, 5_200, whole=2000))
        scene.machine(scene.at(scene.open_day(number), 15), scene.between(3_800, 4_600, whole=2000))
    return "twice a day at branch and machine, together below the threshold"


def structuring_slow(scene: Scene) -> str:
    for number in range(0, 10, 2):
        scene.deposit(scene.at(scene.open_day(number), 14), scene.between(8_200, 9_800, whole=5000), branch=number % 3)
    return "every second business day, five times"


def structuring_nights(scene: Scene) -> str:
    """Tuesday to Thursday after the cutoff: each night counts for the day after it."""
    tuesday = scene.next(1)
    for number in range(3):
        scene.machine(scene.at(tuesday + timedelta(days=number), 19), scene.between(8_100, 9_700, whole=2000))
    for number in range(3):
        scene.machine(scene.at(tuesday + timedelta(days=7 + number), 20), scene.between(7_600, 9_300, whole=2000))
    return "at machines, after the cutoff"


def structuring_people(scene: Scene) -> str:
    for number, other in enumerate([*scene.others[:3], *scene.others[:2]]):
        scene.deposit(scene.at(scene.open_day(number), 11), scene.between(6_500, 9_500), branch=number,
                      account=int(scene.people.account[other]), behalf=scene.subject)  # fmt: skip
    return "another person each day, for one beneficiary"


def structuring_out(scene: Scene) -> str:
    for number in range(5):
        minor = scene.between(8_300, 9_800, whole=10_000)
        scene.deposit(scene.at(scene.open_day(number), 13), minor, branch=number % 2, direction=OUT)
    return "paid out, five business days, two branches"


def smurfing_below(scene: Scene) -> str:
    for number in range(5):
        for place in range(2):
            moment = scene.at(scene.open_day(number), 10 + 4 * place)
            scene.deposit(moment, scene.between(3_900, 4_900), branch=place, account=scene.account + place)
    return "one owner, two accounts, every day below the threshold"


def smurfing_accounts(scene: Scene) -> str:
    for number in range(2):
        for place in range(3):
            moment = scene.at(scene.open_day(number), 10 + 2 * place)
            scene.deposit(moment, scene.between(3_500, 4_400), branch=place, account=scene.account + place)
    return "one owner, three accounts, three branches, two days"


def smurfing_people(scene: Scene) -> str:
    for place, other in enumerate(scene.others[:4]):
        scene.deposit(scene.at(scene.open_day(0), 10 + 1.5 * place), scene.between(2_800, 3_600), branch=place,
                      account=int(scene.people.account[other]), behalf=scene.subject)  # fmt: skip
    return "four people pay in for one beneficiary"


def cash_two_branches(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 10), scene.between(5_600, 6_400))
    scene.deposit(scene.at(scene.open_day(0), 15), scene.between(5_000, 5_900), branch=1)
    return "two branches on one business day"


def cash_weekend(scene: Scene) -> str:
    friday = scene.next(4)
    scene.machine(scene.at(friday, 20), scene.between(3_900, 4_400, whole=2000))
    scene.machine(scene.at(friday + timedelta(days=1), 12), scene.between(3_600, 4_000, whole=2000))
    scene.machine(scene.at(friday + timedelta(days=2), 16), scene.between(3_000, 3_600, whole=2000))
    return "Friday night, Saturday and Sunday count for one business day"


def cash_on_behalf(scene: Scene) -> str:
    for place, other in enumerate(scene.others[:2]):
        scene.deposit(scene.at(scene.open_day(0), 11 + 3 * place), scene.between(5_200, 6_500), branch=place,
                      account=int(scene.people.account[other]), behalf=scene.subject)  # fmt: skip
    return "two customers pay in on behalf of a third"


def cash_one_cent(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 12), 1_000_001)
    return "one cent more than the threshold"


def cash_out(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 10), scene.between(6_000, 7_500), direction=OUT)
    scene.deposit(scene.at(scene.open_day(0), 16), scene.between(4_200, 5_500), branch=1, direction=OUT)
    return "cash paid out in two parts"


def cash_holiday(scene: Scene) -> str:
    days = [scene.start + timedelta(days=number) for number in range(20)]
    closed = next((day for day in days if day.weekday() < 5 and not is_open(day)), scene.next(5))
    scene.machine(scene.at(closed, 12), scene.between(5_600, 6_400, whole=2000))
    after = next(day for number in range(1, 5) if is_open(day := closed + timedelta(days=number)))
    scene.deposit(scene.at(after, 11), scene.between(5_000, 5_800))
    return "a day without business and the one after it" if closed.weekday() < 5 else "Saturday and Monday"


def cash_euro(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 12), scene.between(9_700, 9_950))
    return "less than the threshold in euros, more in dollars"


def cash_late(scene: Scene) -> str:
    day = scene.next(1)
    scene.machine(scene.at(day, 19), scene.between(5_400, 6_200, whole=2000))
    scene.deposit(scene.at(day + timedelta(days=1), 11), scene.between(5_000, 5_900))
    return "after the cutoff, and on the next day"


def cash_conductor(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 10), scene.between(5_200, 6_000))
    scene.deposit(scene.at(scene.open_day(0), 14), scene.between(5_000, 5_900), branch=1, behalf=scene.others[0])
    return "for oneself, and on behalf of another"


def edge_cutoff(scene: Scene) -> str:
    day = scene.next(1)
    scene.deposit(scene.at(day, 16.5), scene.between(5_400, 6_200))
    scene.deposit(scene.at(day + timedelta(days=1), 11), scene.between(5_000, 5_900))
    return "before the cutoff, and on the next day"


def edge_once(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 12), scene.between(9_800, 9_990, whole=1000))
    return "once, just below the threshold"


def edge_exactly(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 10), 600_000)
    scene.deposit(scene.at(scene.open_day(0), 13), 400_000, branch=1)
    return "exactly the threshold on one day"


def edge_in_and_out(scene: Scene) -> str:
    scene.deposit(scene.at(scene.open_day(0), 10), 650_000)
    scene.deposit(scene.at(scene.open_day(0), 14), 620_000, direction=OUT)
    return "in and out are not added up"


def edge_two_days(scene: Scene) -> str:
    scene.deposit(scene.at(scene.next(4), 11), 580_000)
    scene.deposit(scene.at(scene.next(4) + timedelta(days=4), 11), 590_000)
    return "two business days"
