"""N kills of the backend and N of a console under load, and what was found after each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

from core.backend.ledger_check import CannotReadError, CheckpointKey, verify_ledger
from core.ledger.errors import LedgerError
from core.ledger.keys import SigningKey
from tests.crash.backend import BackendProcess, Reservation
from tests.crash.checks import Found, Kind, Problem, problems
from tests.crash.console import ConsoleError, ConsoleProcess
from tests.crash.house import House, make_house
from tests.crash.journal import Journal
from tests.crash.record import read_record
from tests.crash.students import Students
from tests.support.live_template import live_config
from tests.support.waiting import wait_until

CHECKPOINT_NAME = "bursar/ledger"
PAYMENTS_PER_CYCLE = (6, 18)
LOAD_SECONDS = 0.6
AWAY_SECONDS = 0.3
KILLED_STARTING_SHARE = 0.12
STARTING_SECONDS = 0.8
_CALM_SECONDS = 60.0
_LOOK_SECONDS = 0.03


class Victim(Enum):
    BACKEND = auto()
    CONSOLE = auto()


@dataclass
class Figures:
    """Restart times are milliseconds: to "ready", and to the first live list. `killed_at_work`:
    kills while a payment or a decision had no answer yet."""

    backend_kills: int = 0
    console_kills: int = 0
    window_kills: int = 0
    killed_starting: int = 0
    killed_at_work: int = 0
    payments: int = 0
    decisions: int = 0
    signed_in_again: int = 0
    backend_restarts: list[float] = field(default_factory=list)
    officer_restarts: list[float] = field(default_factory=list)
    window_restarts: list[float] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`windows`: how many of the consoles are windows, of 1."""

    cycles: int
    seed: str
    windows: float


class Campaign:
    """In one house, until its cycles are done or something does not hold."""

    def __init__(self, folder: Path, plan: Plan, figures: Figures) -> None:
        self._plan = plan
        self._figures = figures
        self._chance = random.Random(plan.seed)
        self._stack = ExitStack()
        reserve = Reservation()
        self._stack.callback(reserve.close)
        seats = 2 * plan.cycles * PAYMENTS_PER_CYCLE[1]
        self._house: House = make_house(folder, port=reserve.port, seats=seats)
        self._journal = Journal()
        self._backend = BackendProcess(self._house)
        self._stack.callback(self._backend.close)
        self._starts = 0
        self._console: ConsoleProcess | None = None

    def run(self) -> bool:
        """Whether everything held."""
        with self._stack:
            self._backend.start()
            self._backend.wait_until_ready()
            self._stack.callback(self._kill_last)
            self._start_console()
            self._now.wait_until_live()
            students = Students(self._house, self._journal, self._plan.seed)
            self._stack.callback(students.close)
            return all(self._cycle(victim, students) for victim in self._victims())

    # --- one cycle ---------------------------------------------------------------------------

    def _victims(self) -> list[Victim]:
        victims = [*Victim] * self._plan.cycles
        self._chance.shuffle(victims)
        return victims

    def _cycle(self, victim: Victim, students: Students) -> bool:
        students.go(self._chance.randint(*PAYMENTS_PER_CYCLE))
        self._now.ask("work")
        time.sleep(self._chance.uniform(0.0, LOAD_SECONDS))  # the moment
        self._figures.killed_at_work += bool(students.open or self._journal.waiting)
        if victim is Victim.BACKEND:
            self._kill_backend()
        else:
            self._kill_console()
        students.finish()
        self._now.ask("rest")
        found = [*self._calm(), *problems(self._journal, self._found()), *self._ledger()]
        self._figures.problems += found
        return not found

    @property
    def _now(self) -> ConsoleProcess:
        assert self._console is not None, "the console was never started"
        return self._console

    def _kill_backend(self) -> None:
        self._backend.kill()
        self._figures.backend_kills += 1
        time.sleep(self._chance.uniform(0.0, AWAY_SECONDS))  # the officer decides on
        self._start_killed(self._backend.start, self._backend.kill)
        self._backend.start()
        self._figures.backend_restarts.append(self._backend.wait_until_ready())

    def _kill_console(self) -> None:
        windowed = self._now.windowed
        self._now.kill()
        self._figures.console_kills += 1
        self._figures.window_kills += windowed
        self._start_killed(self._start_console, self._kill_last)
        self._start_console()
        figures = self._figures
        restarts = figures.window_restarts if self._now.windowed else figures.officer_restarts
        restarts.append(self._now.wait_until_live())

    def _start_killed(self, start: Callable[[], None], kill: Callable[[], None]) -> None:
        """Sometimes: a start that is killed as well."""
        if self._chance.random() < KILLED_STARTING_SHARE:
            start()
            time.sleep(self._chance.uniform(0.0, STARTING_SECONDS))
            kill()
            self._figures.killed_starting += 1

    def _start_console(self) -> None:
        self._starts += 1
        windowed = self._chance.random() < self._plan.windows
        seed = f"{self._plan.seed} {self._starts}"
        self._console = ConsoleProcess(self._house, self._journal, windowed=windowed, seed=seed)

    def _kill_last(self) -> None:
        if self._console is not None:
            self._console.kill()

    # --- afterwards --------------------------------------------------------------------------

    def _calm(self) -> Iterator[Problem]:
        """Everything that was decided has its answer and the console shows what the backend has."""
        try:
            wait_until(self._is_calm, timeout=_CALM_SECONDS, what="calm")
        except AssertionError:
            yield Problem(Kind.SILENT, f"it did not calm down: {self._now.ask('standing')}")

    def _is_calm(self) -> bool:
        state = self._now.ask("standing")
        at_rest = state["live"] and not state["open"]
        if at_rest and self._now.rows() == self._backend.pending():
            return True
        time.sleep(_LOOK_SECONDS)  # looking costs those who are looked at
        return False

    def _found(self) -> Found:
        return Found(
            record=read_record(self._house.database),
            held=self._now.everything(),
            shown=self._now.rows(),
            pending=self._backend.pending(),
        )

    def _ledger(self) -> Iterator[Problem]:
        """The product's own verifier, and the console's witness."""
        public = SigningKey(live_config(self._house.folder).checkpoint_seed).public
        try:
            verify_ledger(
                str(self._house.database), key=CheckpointKey(CHECKPOINT_NAME, public),
                trusted_roots=frozenset({self._house.root_fingerprint}),
            )  # fmt: skip
        except (LedgerError, CannotReadError) as error:
            yield Problem(Kind.LEDGER, f"the ledger does not verify: {error}")
        if self._now.ask("standing")["alarm"]:
            yield Problem(Kind.LEDGER, "the console sounded the alarm")
        notices = self._now.ask("items")["notices"]
        if notices:
            yield Problem(Kind.ODD, f"the console set something aside: {notices}")

    def sum_up(self) -> None:
        """Into the figures of the whole."""
        self._figures.payments += len(self._journal.submitted)
        self._figures.decisions += len(self._journal.decided)
        self._figures.signed_in_again += self._journal.signed_in_again


def run_house(folder: Path, plan: Plan, figures: Figures) -> bool:
    """One house; whether everything held. What stopped it is a problem, too."""
    campaign = Campaign(folder, plan, figures)
    try:
        return campaign.run()
    except (ConsoleError, AssertionError, OSError) as error:
        figures.problems.append(Problem(Kind.ODD, f"{type(error).__name__}: {error}"))
        return False
    finally:
        campaign.sum_up()
