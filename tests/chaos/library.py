"""The library's layer: every step is broken off at its boundaries, run again, and compared with its undisturbed twin.

A trial begins where the twin stood before a step: the same store, the same database. A child does the step and meets
a fault; then the step is run again, as Airflow's retry does, until it succeeds. What is there then must be what the
twin had after the step, to the byte.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from fraudops.database import migrate
from fraudops.portfolio import Portfolio

from tests.chaos import children, life
from tests.chaos.children import Ended
from tests.chaos.faults import Cross, Fault, Kind, ask_at, kill_at, refuse_files_from, watch
from tests.chaos.life import MAIL_PORT, Step
from tests.chaos.outcome import Difference, Outcome, compare
from tests.chaos.places import Places
from tests.chaos.tally import Tally

_TRIES = 4
_SHARES: dict[Kind, float] = {
    "moment": 0.15,
    "database": 0.08,
    "sink": 0.04,
    "full disk": 0.04,
    "read-only store": 0.04,
}
"""Shares of the kills; the rest goes to the processes, at their boundaries."""
_WRITING_OPEN = ("before fsync", "after fsync", "before rename")
"""Boundaries at which a file is open: a file system cannot become read-only there."""


@dataclass(frozen=True)
class Stage:
    """A step of the twin: where it began, what came of it, where it may be broken off."""

    step: Step
    before: str
    after: Outcome
    mails: Counter[str]
    """Those that the step sent."""
    labels: list[str]
    seconds: float


class Library:
    """All trials of this layer.

    Parameters
    ----------
    tally
        Counts what happens.
    say
        Receives a line about it.
    """

    def __init__(self, places: Places, tally: Tally, seed: int, say: Callable[[str], None]) -> None:
        self.places = places
        self.tally = tally
        self.random = random.Random(seed)
        self.say = say
        self.log = places.root / "child.log"
        os.environ[MAIL_PORT] = str(places.sink.port)

    # -- the twin ------------------------------------------------------------------------------------------

    def live_twin(self, *, trained: bool) -> list[Stage]:
        """Live undisturbed, and keep what there was before and after each step.

        Parameters
        ----------
        trained
            The life begins with a champion, and is shorter.
        """
        self.places.postgres.ensure_database("past")
        self._run(lambda: migrate(self.places.postgres.url("past")))
        ws = self.places.workspace("past")
        ws.landing.mkdir()
        self.places.store("past").mkdir(parents=True)
        self._run(lambda: life.past(ws, life.portfolio(), trained=trained))
        stages = []
        before = "past"
        steps = life.one_day() if trained else [*life.training(), *life.one_day(), *life.correction()]
        for number, step in enumerate(steps):
            name = f"twin{number}"
            self.places.copy(before, name)
            began = time.monotonic()
            self._run(self._recorded(step, name))
            seconds = time.monotonic() - began
            labels = json.loads(self._labels.read_text())
            after = self.places.outcome(name)
            mails = after.mails - (stages[-1].after.mails if stages else Counter())
            stages.append(Stage(step, before, after, mails, labels, seconds))
            before = name
        return stages

    @property
    def _labels(self) -> Path:
        return self.places.root / "labels.json"

    def _recorded(self, step: Step, name: str) -> Callable[[], object]:
        def work() -> None:
            labels: list[str] = []
            watch(labels.append)
            self._do(step, name)
            self._labels.write_text(json.dumps(labels))

        return work

    # -- trials --------------------------------------------------------------------------------------------

    def plan(self, stages: list[Stage], kills: int) -> list[tuple[Stage, Fault]]:
        """Which faults to try: each kind has its share; boundaries are spread over all there are."""
        found: list[tuple[Stage, Fault]] = []
        for kind, share in _SHARES.items():
            for _ in range(round(kills * share)):
                found.append(self._random_fault(stages, kind))
        wanted = max(kills - len(found), 0)
        return [*self._at_boundaries(stages, wanted), *found]

    def _at_boundaries(self, stages: list[Stage], wanted: int) -> list[tuple[Stage, Fault]]:
        """Every boundary once and then again, or as many as are wanted.

        Then they are spread over all steps and within each: a step that does one thing for many notices has many
        boundaries of few kinds, so a step's share is the square root of their number.
        """
        found: list[tuple[Stage, Fault]] = []
        everything = [(stage, number + 1) for stage in stages for number in range(len(stage.labels))]
        for stage, number in everything * (wanted // len(everything)):
            found.append((stage, Fault("process", number)))
        rest, shares = wanted - len(found), [len(stage.labels) ** 0.5 for stage in stages]
        due, done = 0.0, 0
        for stage, share in zip(stages, shares, strict=True):
            due += rest * share / sum(shares)
            count, done = round(due) - done, round(due)
            for place in range(count):
                at = int((place + self.random.random()) * len(stage.labels) / count) + 1
                found.append((stage, Fault("process", at)))
        return found

    def _random_fault(self, stages: list[Stage], kind: Kind) -> tuple[Stage, Fault]:
        if kind == "moment":
            stage = self.random.choices(stages, [stage.seconds for stage in stages])[0]
            return stage, Fault(kind, seconds=self.random.uniform(0, stage.seconds))
        fits = {
            "database": lambda label: True,
            "sink": lambda label: "smtp" in label,
            "full disk": lambda label: label in ("before mkdir", "before fsync", "before statement"),
            "read-only store": lambda label: label not in _WRITING_OPEN and "smtp" not in label,
        }[kind]
        fitting = [(stage, number + 1) for stage in stages for number, label in enumerate(stage.labels) if fits(label)]
        stage, number = self.random.choice(fitting)
        return stage, Fault(kind, number)

    def trial(self, stage: Stage, fault: Fault) -> Difference:
        """Break a step off, run it again until it succeeds, compare."""
        on_disk = fault.kind in ("full disk", "read-only store") and self.places.small_disk is not None
        folder = self.places.small_disk / "store" if on_disk and self.places.small_disk else None
        self.places.sink.empty()
        self.places.copy(stage.before, "trial", folder=folder)
        ended = self._with_fault(stage.step, "trial", fault, folder)
        self.tally.kills[fault.kind] += 1
        self.tally.survived += ended.is_well
        if ended.error and fault.kind in ("full disk", "read-only store"):
            self.tally.errors[ended.error] += 1
        if ended.is_well and fault.kind == "process":
            raise RuntimeError(f"{stage.step.name} did not come to {fault}: it is not the same each time")
        self._until_well(stage.step, "trial", folder)
        found = self.places.outcome("trial", folder)
        difference = compare(_only_mails_of(stage), found)
        self.tally.add(difference, found)
        if not difference.is_none:
            self.say(f"{stage.step.name}, {fault}: the outcome is not the twin's")
            for line in difference.lines():
                self.say(f"    {line}")
        return difference

    def _until_well(self, step: Step, name: str, folder: Path | None = None) -> None:
        for _ in range(_TRIES):
            ended = children.start(lambda: self._do(step, name, folder), self.log).wait()
            if ended.is_well:
                return
        raise RuntimeError(f"{step.name} does not succeed any more: {self.log.read_text(errors='replace')[-4000:]}")

    def _with_fault(self, step: Step, name: str, fault: Fault, folder: Path | None) -> Ended:
        if fault.kind == "moment":
            child = children.start(lambda: self._do(step, name, folder), self.log)
            time.sleep(fault.seconds)
            child.kill()
            return child.wait()
        if fault.kind == "process":
            return self._watched(step, name, kill_at(fault.at)).wait()
        if fault.kind in ("full disk", "read-only store") and folder is None:
            error = errno.ENOSPC if fault.kind == "full disk" else errno.EROFS
            return self._watched(step, name, refuse_files_from(fault.at, error)).wait()
        return self._while_asked(step, name, fault, folder)

    def _watched(self, step: Step, name: str, cross: Cross, folder: Path | None = None) -> children.Child:
        def work() -> None:
            watch(cross)
            self._do(step, name, folder)

        return children.start(work, self.log)

    def _while_asked(self, step: Step, name: str, fault: Fault, folder: Path | None) -> Ended:
        """Break something while the child stands at a boundary; put it right once the child has ended."""
        asked, tell = os.pipe()
        hear, answer = os.pipe()
        child = self._watched(step, name, ask_at(fault.at, tell, hear), folder)
        os.close(tell)
        os.close(hear)
        reached = os.read(asked, 1)
        recover = self._break(fault) if reached else _nothing
        with suppress(BrokenPipeError):
            os.write(answer, b"!")
        os.close(answer)
        ended = child.wait()
        os.close(asked)
        recover()
        return ended

    def _break(self, fault: Fault) -> Callable[[], None]:
        """Break what the fault says; returns what puts it right afterwards."""
        places = self.places
        if fault.kind == "database":
            places.break_database(at_once=bool(fault.at % 2))
            if fault.at % 4 < 2:
                return places.postgres.start
            # The child meets a server that was started anew.
            places.postgres.start()
        elif fault.kind == "sink":
            places.sink.kill()
            return places.sink.start
        elif fault.kind == "full disk":
            places.fill_disk()
            return places.free_disk
        else:
            places.protect_disk(read_only=True)
            return lambda: places.protect_disk(read_only=False)
        return _nothing

    # -- a whole life --------------------------------------------------------------------------------------

    def disturbed_life(self, stages: list[Stage], kills: int) -> Difference:
        """Live all steps on end, each killed at random moments, and compare at the very end only."""
        self.places.sink.empty()
        self.places.copy("past", "life")
        for number, stage in enumerate(stages):
            for _ in range(kills // len(stages) + (number < kills % len(stages))):
                child = children.start(lambda step=stage.step: self._do(step, "life"), self.log)  # type: ignore[misc]
                time.sleep(self.random.uniform(0, stage.seconds))
                child.kill()
                ended = child.wait()
                self.tally.kills["whole life"] += 1
                self.tally.survived += ended.is_well
            self._until_well(stage.step, "life")
        found = self.places.outcome("life")
        difference = compare(stages[-1].after, found, is_own=True)
        self.tally.add(difference, found)
        for line in difference.lines():
            self.say(f"a life with kills in every step: {line}")
        return difference

    # -- inside --------------------------------------------------------------------------------------------

    def _do(self, step: Step, name: str, folder: Path | None = None) -> None:
        # How long a model takes is measured, and recorded: the one thing in which two lives may differ.
        time.process_time_ns = itertools.count(0, 1_000_000).__next__
        cards: Portfolio = life.portfolio()
        step.run(self.places.workspace(name, folder), cards)

    def _run(self, work: Callable[[], object]) -> None:
        children.run(work, self.log)


def _only_mails_of(stage: Stage) -> Outcome:
    """The twin's outcome with the mails of this step alone: a trial begins with an empty mailbox."""
    return replace(stage.after, mails=stage.mails)


def _nothing() -> None:
    """Nothing has to be put right."""


def boundaries(stages: list[Stage]) -> Iterator[str]:
    """A line per step: how many boundaries it has."""
    for stage in stages:
        yield f"{stage.step.name}: {len(stage.labels)} boundaries, {stage.seconds:.1f} s"
