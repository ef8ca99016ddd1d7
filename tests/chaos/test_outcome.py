"""What the chaos program calls lost, doubled and different."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

from fraudops.registry.gates import ONE_ROW

from tests.chaos.outcome import Outcome, _without_times, compare

PACK = "evidence/portfolio=cards/v1/pack-r1.json"


def entry(action: str, digest: str) -> str:
    return json.dumps({"action": action, "details": {"data_sha256": digest}}, sort_keys=True)


TWIN = Outcome(
    files={"scores/a": "1", PACK: "1"},
    timeless={PACK: "says this"},
    left_over=0,
    rows={"ledger": Counter([entry("scored", "1"), entry("evidence_filed", "1")])},
    mails=Counter({"cards/digest/1": 1}),
)


def test_the_same_is_equal_and_a_mail_may_come_twice() -> None:
    again = replace(TWIN, mails=Counter({"cards/digest/1": 2}), left_over=3)
    assert compare(TWIN, again).is_none


def test_what_is_missing_is_lost() -> None:
    found = compare(TWIN, replace(TWIN, files={PACK: "1"}, rows={"ledger": Counter()}, mails=Counter()))
    assert (len(found.lost), found.doubled, found.other) == (4, [], [])


def test_what_is_there_beside_it_is_doubled() -> None:
    rows = {"ledger": TWIN.rows["ledger"] + Counter([entry("scored", "1")])}
    mails = TWIN.mails + Counter(["<another@bank.example>"])
    found = compare(TWIN, replace(TWIN, files={**TWIN.files, "scores/b": "2"}, rows=rows, mails=mails))
    assert (found.lost, len(found.doubled), found.other) == ([], 3, [])


def test_other_bytes_are_different_except_in_what_says_when_a_life_of_its_own_did_something() -> None:
    other = replace(TWIN, files={"scores/a": "2", PACK: "2"})
    assert compare(TWIN, other).other == [PACK, "scores/a"]
    assert compare(TWIN, other, is_own=True).other == ["scores/a"]
    assert compare(TWIN, replace(TWIN, timeless={PACK: "says that"}), is_own=True).other == [PACK]
    filed = replace(TWIN, rows={"ledger": Counter([entry("scored", "1"), entry("evidence_filed", "2")])})
    assert len(compare(TWIN, filed).lost) == 1
    assert compare(TWIN, filed, is_own=True).is_none
    scored = replace(TWIN, rows={"ledger": Counter([entry("scored", "2"), entry("evidence_filed", "1")])})
    assert len(compare(TWIN, scored, is_own=True).lost) == 1


def test_a_pack_says_the_same_but_for_moments_digests_of_the_chain_and_speeds() -> None:
    def said(**changes: object) -> str:
        entry: dict[str, object] = {
            "action": "registered",
            "at": "10:00",
            "digest": "a",
            "previous": "b",
            "subject": "cards/v1",
        }
        gate: dict[str, object] = {"name": ONE_ROW, "value": 17.0, "measured": "17 ms", "passed": True}
        entry, gate = ({name: changes.get(name, value) for name, value in one.items()} for one in (entry, gate))
        pack = {"ledger": [entry], "verdict": {"gates": [gate]}}
        return _without_times(PACK, json.dumps(pack).encode())

    assert said(at="11:00", digest="c", previous="d", value=18.0, measured="18 ms") == said()
    assert said(subject="cards/v2") != said()
    assert said(passed=False) != said()
