"""Names on a list: what is found, why, and that nothing is lost to speed."""

from __future__ import annotations

import random

import pytest
from fraudops.rules.candidates import candidates, spellings
from fraudops.rules.likeness import likeness
from fraudops.rules.names import letters, parts, sound
from fraudops.rules.screening import Criteria, Match, Party, compare_births, screen, screen_changes

CRITERIA = Criteria()
GIVEN = "Viktor Victor Yusuf Youssef Ali Aly Omar Umar Mohammed Muhammad Jean Abdul Anna Maria"
FAMILY = "Petrov Petroff Rashid Rasheed Al-Rashid Alrashid Van|Damme Vandamme Khan Rahman Smith Smyth Li Lee"
ENTRY = Party("WL1", ("Muhammad Al-Rashid Petrov", "Mohammed Rasheed"), "1962-03-05")


def found(customer: str, listed: str, born: str = "", listed_born: str = "", *, business: bool = False) -> Match | None:
    matches = screen([Party("C", (customer,), born, business)], [Party("E", (listed,), listed_born)], CRITERIA)
    return matches[0] if matches else None


@pytest.mark.parametrize(
    ("customer", "listed"),
    [
        ("Viktor Petrov", "Viktor Petrov"),
        ("PETROV, Viktor", "Viktor Petrov"),
        ("Victor Petroff", "Viktor Petrov"),
        ("Виктор Петров", "Viktor Petrov"),
        ("Youssef El-Khatib", "Yusuf al Khatib"),
        ("Mohamed Rashid", "Muhammad al-Rasheed"),
        ("Muhammad Alrashid", "Mohammed Al Rashid"),
        ("Abd al-Rahman Khan", "Abdulrahman Khan"),
        ("Hüseyin Öztürk", "Huseyin Ozturk"),
        ("Sergey Belyakovskiy", "Sergei Belyakovsky"),
        ("Evgeniy Tchernavin", "Yevgeny Chernavin"),
        ("Zoltan Anton Szarvadi", "Zoltán Szarvadi"),
        ("Jean Claude Van Damme", "Vandamme Jeanclaude"),
        ("Dr. John O'Neill Jr.", "John ONeill"),
        ("Γιώργος Παπαδόπουλος", "Giorgos Papadopoulos"),
        ("Khalid Karimdad", "Halid Karimdad"),
        ("Dimitri Vukadinac", "Dmitri Vukadinac"),
    ],
)
def test_another_spelling_of_a_name_is_found(customer: str, listed: str) -> None:
    assert found(customer, listed) is not None


@pytest.mark.parametrize(
    ("customer", "listed"),
    [
        ("John Smith", "John Miller"),
        ("Maria Garcia", "Maria Gonzalez"),
        ("John Michael Smith", "John Robert Smith"),
        ("Ali Hassan", "Hassan"),
        ("Anna Berg", "Anton Bergmann"),
        ("Tariq Zarovich", "Tariq Galvezano"),
        ("", "Viktor Petrov"),
        ("محمد", "Viktor Petrov"),
    ],
)
def test_another_name_is_not(customer: str, listed: str) -> None:
    assert found(customer, listed) is None


def test_a_legal_form_says_nothing_of_a_business_and_belongs_to_the_name_of_a_person() -> None:
    assert found("Orient Star Shipping", "Orient Star Shipping LLC", business=True).score == 1000
    assert found("Orient Star Shipping Ltd.", "Orient Star Shipping OOO", business=True).score == 1000
    assert found("Orient Star Trading", "Orient Star Shipping LLC", business=True) is None
    assert parts("Juan Co") == ("juan", "co")
    assert parts("Juan Co", business=True) == ("juan",)


def test_dates_of_birth_are_evidence() -> None:
    name, born = ("Mohamed Rashid", "Muhammad al-Rasheed"), "1962-03-05"
    alone = found(*name).score
    assert 850 <= alone < 950
    assert found(*name, born, born).score == alone + 50
    assert found(*name, born, "1962-05-03").score == alone
    assert found(*name, born, "1971-08-30") is None
    # The same name with another date: for the bank to say whether it is looked at.
    assert found("Viktor Petrov", "Viktor Petrov", born, "1971-08-30") is None
    (match,) = screen(
        [Party("C", ("Viktor Petrov",), born)], [Party("E", ("Petrov Viktor",), "1971-08-30")], Criteria(850, 50, 150)
    )
    assert (match.score, match.birth) == (850, "contradicts")
    # What is not enough alone becomes enough.
    less = ("Michael Tarovitsch", "Mikhail Zarovich")
    assert found(*less) is None
    assert found(*less, born, born) is not None


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        ("1962-03-05", "1962-03-05", "agrees"),
        ("1962-03-05", "1962-05-03", "near"),
        ("1962-03-05", "1963-03-05", "near"),
        ("1962-03-05", "1962", "near"),
        ("1962", "1962", "near"),
        ("1961", "1962-03-05", "near"),
        ("1960", "1962-03-05", "contradicts"),
        ("1962-03-05", "1971-03-06", "contradicts"),
        ("", "1962-03-05", "unknown"),
    ],
)
def test_what_two_dates_of_birth_say(one: str, other: str, says: str) -> None:
    assert compare_births(one, other) == compare_births(other, one) == says


def test_a_match_says_what_it_rests_on() -> None:
    customer = Party("C1", ("Jane Doe", "Rasheed, Mohammed"), "1962-03-05")
    (match,) = screen([customer], [ENTRY], CRITERIA)
    assert match == Match(
        customer="C1", entry="WL1", score=1000, name_score=1000, customer_name=1, entry_name=1, how="as written",
        parts=2, of=2, birth="agrees",
    )  # fmt: skip


def people(rng: random.Random, prefix: str, count: int) -> list[Party]:
    given, family = GIVEN.split(), FAMILY.split()
    found = []
    for number in range(count):
        names = tuple(
            " ".join(rng.choices(given, k=rng.choice((0, 1, 1, 2))) + [rng.choice(family).replace("|", " ")])
            for _ in range(rng.choice((1, 1, 2)))
        )
        born = rng.choice(("", "1962-03-05", "1962-05-03", "1971-08-30"))
        found.append(Party(f"{prefix}{number}", names, born, business=rng.random() < 0.2))
    return found


def test_no_pair_that_would_score_is_left_out() -> None:
    rng = random.Random(7)
    for least in (700, 800, 950):
        ones, others = (spellings(people(rng, prefix, 60), business=False) for prefix in "CE")
        paired = {(one, other): most for one, other, most in candidates(ones, others, least, fewest_letters=8)}
        for one in ones:
            for other in others:
                score = likeness(one.parts, other.parts)
                if score is not None and score.score >= least:
                    assert paired[one, other] >= score.score - 1


def test_looking_at_changes_alone_finds_what_looking_at_everything_does() -> None:
    rng = random.Random(11)
    customers, entries = people(rng, "C", 80), people(rng, "E", 50)
    whole = screen(customers, entries, CRITERIA)
    assert len(whole) > 20
    kept: dict[tuple[str, str], Match] = {}
    known_customers: list[Party] = []
    known_entries: list[Party] = []
    for day in range(4):
        # Some come, and some of those who were there before have had another name.
        now_customers = [Party(p.id, p.names if day == 3 or n % 5 else ("Nobody",), p.born, p.business)
                         for n, p in enumerate(customers) if n % 4 <= day]  # fmt: skip
        now_entries = [p for n, p in enumerate(entries) if n % 4 <= day]
        changed = screen_changes(
            now_customers,
            now_entries,
            CRITERIA,
            new_customers={p.id for p in set(now_customers) - set(known_customers)},
            new_entries={p.id for p in set(now_entries) - set(known_entries)},
        )
        kept.update({(match.customer, match.entry): match for match in changed})
        known_customers, known_entries = now_customers, now_entries
        now = {(m.customer, m.entry): m for m in screen(now_customers, now_entries, CRITERIA)}
        assert now.items() <= kept.items()
    assert list(dict(sorted(kept.items())).values()) == whole
    assert screen(customers[::-1], entries[::-1], CRITERIA) == whole


def test_nobody_and_nothing() -> None:
    assert screen([], [ENTRY], CRITERIA) == screen([ENTRY], [], CRITERIA) == []
    assert screen([Party("C", ("Wang Xiu",))], [ENTRY], CRITERIA) == []


def test_how_names_are_read() -> None:
    assert parts("Al-Rāshid, Dr. Muḥammad bin") == ("rashid", "muhammad")
    assert parts("De La") == ("de", "la")
    assert parts("Юрий Щербаков") == ("yurii", "sherbakov")
    assert sound("petroff") == sound("petrov") == sound("petrow")
    assert letters("Van Damme, Jean-Claude") == letters("Jeanclaude Vandamme")
