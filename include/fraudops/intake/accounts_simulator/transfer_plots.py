"""Planted stories of transfers; each puts its movements into a scene and says which variation it is."""

from __future__ import annotations

from datetime import timedelta

from fraudops.intake.accounts_simulator.moves import CARD, ONLINE, OUT, TRANSFER, WIRE
from fraudops.intake.accounts_simulator.scenes import Scene

_HIGH_RISK = ("KP", "IR", "MM")
_HAVENS = ("PA", "KY", "AE", "TR")


def mule_collects(scene: Scene) -> str:
    day, total = scene.open_day(0), 0
    for number in range(5):
        minor = scene.between(1_400, 2_600)
        total += minor
        scene.receive(scene.at(day, 9 + number), minor, scene.external("US"), TRANSFER, fraud=True)
    scene.pay(scene.at(day, 19), round(total * 0.62), scene.external("US"), ONLINE, fraud=True)
    scene.pay(scene.at(day + timedelta(days=1), 8), round(total * 0.33), scene.external("US"), ONLINE, fraud=True)
    return "five payments in, nearly all of it out within a day"


def mule_cash(scene: Scene) -> str:
    day, minor = scene.open_day(0), scene.between(7_000, 9_000)
    scene.receive(scene.at(day, 10), minor, scene.external("US"), TRANSFER, fraud=True)
    scene.machine(scene.at(day, 12), 80_000, direction=OUT)
    scene.deposit(scene.at(day, 14), round(minor * 0.8) // 2000 * 2000, direction=OUT)
    return "one payment in, out as cash on the same day"


def mule_waits(scene: Scene) -> str:
    day, minor = scene.open_day(0), scene.between(6_500, 9_500)
    scene.receive(scene.at(day, 15), minor, scene.external("US"), TRANSFER, fraud=True)
    scene.pay(scene.at(day + timedelta(days=1), 9), round(minor * 0.55), scene.external("US"), ONLINE, fraud=True)
    scene.pay(scene.at(day + timedelta(days=1), 20), round(minor * 0.4), scene.external("CA"), WIRE, fraud=True)
    return "one payment in, out in two parts until the next evening"


def mule_abroad(scene: Scene) -> str:
    day, minor = scene.open_day(0), scene.between(11_000, 16_000)
    scene.receive(scene.at(day, 11), minor, scene.external("GB"), WIRE, fraud=True)
    scene.pay(scene.at(day + timedelta(days=1), 10), round(minor * 0.96), scene.external("AE"), WIRE, fraud=True)
    return "in from one country, out to another the next day"


def fan_in(scene: Scene) -> str:
    payers = 16 + int(scene.rng.integers(0, 8))
    for number in range(payers):
        moment = scene.at(scene.start + timedelta(days=number % 3), 8 + number % 12)
        scene.receive(moment, scene.between(60, 420), scene.external("US", 500 + 41 * number + scene.subject), ONLINE)
    return "many payers within three days"


def fan_in_slow(scene: Scene) -> str:
    for number in range(13):
        moment = scene.at(scene.start + timedelta(days=number % 6), 9 + number % 9)
        scene.receive(
            moment, scene.between(260, 520), scene.external("US", 700 + 47 * number + scene.subject), TRANSFER
        )
    return "some payers a day, for six days"


def fan_out(scene: Scene) -> str:
    payees = 16 + int(scene.rng.integers(0, 8))
    for number in range(payees):
        moment = scene.at(scene.start + timedelta(days=number % 2), 8 + number % 12)
        scene.pay(moment, scene.between(80, 480), scene.external("US", 900 + 43 * number + scene.subject), ONLINE)
    return "many payees within two days"


def fan_out_slow(scene: Scene) -> str:
    for number in range(13):
        moment = scene.at(scene.start + timedelta(days=number % 5), 9 + number % 9)
        scene.pay(moment, scene.between(260, 520), scene.external("US", 1100 + 47 * number + scene.subject), TRANSFER)
    return "some payees a day, for five days"


def dormant_drained(scene: Scene) -> str:
    minor = scene.between(5_000, 9_000)
    scene.receive(scene.at(scene.open_day(0), 10), minor, scene.external("US"), TRANSFER)
    scene.pay(scene.at(scene.open_day(1), 11), round(minor * 0.9), scene.external("US"), ONLINE)
    return "money comes and goes on an account that had been quiet for months"


def dormant_paying(scene: Scene) -> str:
    for number in range(3):
        scene.pay(scene.at(scene.open_day(number), 13), scene.between(1_500, 2_900), scene.external("US"), ONLINE)
    return "payments out of an account that had been quiet for months"


def dormant_cash(scene: Scene) -> str:
    scene.receive(scene.at(scene.open_day(0), 9), scene.between(3_000, 4_500), scene.external("US"), TRANSFER)
    scene.deposit(scene.at(scene.open_day(0), 15), scene.between(2_600, 2_900), direction=OUT)
    return "money comes and is taken out in cash"


def velocity(scene: Scene) -> str:
    channel = CARD if scene.subject % 2 else ONLINE
    start = scene.at(scene.start, 13)
    for number in range(24 + int(scene.rng.integers(0, 12))):
        moment = start + timedelta(seconds=95 * number + int(scene.rng.integers(0, 40)))
        scene.pay(moment, scene.between(4, 60), scene.external("US"), channel, fraud=True)
    return "cards" if channel == CARD else "online"


def velocity_short(scene: Scene) -> str:
    start = scene.at(scene.start, 20)
    for number in range(14):
        scene.pay(start + timedelta(seconds=50 * number), scene.between(1, 9), scene.external("US"), CARD, fraud=True)
    return "fourteen small payments within a quarter of an hour"


def round_out(scene: Scene) -> str:
    for number in range(7):
        minor = 100_000 * int(scene.rng.integers(1, 5))
        scene.pay(scene.at(scene.open_day(number // 2), 9 + 3 * (number % 2)), minor, scene.external("US"), TRANSFER)
    return "seven payments of whole thousands"


def round_in(scene: Scene) -> str:
    for number in range(6):
        minor = 100_000 * int(scene.rng.integers(2, 6))
        scene.receive(scene.at(scene.open_day(number), 12), minor, scene.external("US"), TRANSFER)
    return "six payments of whole thousands come in"


def _country(scene: Scene, among: tuple[str, ...], what: str) -> str:
    country = among[int(scene.rng.integers(len(among)))]
    scene.pay(scene.at(scene.open_day(0), 12), scene.between(3_200, 8_800), scene.external(country), WIRE)
    return what


def country_high_risk(scene: Scene) -> str:
    return _country(scene, _HIGH_RISK, "a country of high risk")


def country_new(scene: Scene) -> str:
    return _country(scene, _HAVENS, "a country to which the customer never paid")


def country_in(scene: Scene) -> str:
    country_of = _HIGH_RISK[int(scene.rng.integers(len(_HIGH_RISK)))]
    scene.receive(scene.at(scene.open_day(0), 12), scene.between(2_000, 7_000), scene.external(country_of), WIRE)
    return "money from a country of high risk"


def profile(scene: Scene) -> str:
    scene.pay(scene.at(scene.open_day(0), 14), scene.between(18_000, 32_000), scene.external("US"), WIRE)
    return "one payment far above all others"
