"""`make crash`, in small: real processes are killed under load, and nothing is lost or doubled."""

from __future__ import annotations

import json
from pathlib import Path

from tests.crash import __main__ as command
from tests.crash.campaign import Figures, Plan, run_house
from tests.crash.checks import Kind, Problem

CYCLES = 3


def test_three_kills_of_each_lose_double_and_hide_nothing(tmp_path: Path) -> None:
    figures = Figures()
    # With this seed one of the consoles has its window, and is killed with it.
    held = run_house(tmp_path / "house", Plan(cycles=CYCLES, seed="suite 45", windows=0.2), figures)
    assert figures.problems == []
    assert held
    assert (figures.backend_kills, figures.console_kills) == (CYCLES, CYCLES)
    assert figures.killed_at_work > 0
    assert figures.payments >= 6 * CYCLES
    restarts = len(figures.officer_restarts) + len(figures.window_restarts)
    assert (len(figures.backend_restarts), restarts) == (CYCLES, CYCLES)
    assert (len(figures.window_restarts), figures.window_kills) == (1, 1)


def test_the_last_line_says_how_it_ended() -> None:
    good = Figures(backend_kills=2, backend_restarts=[900.0, 1_100.0])
    assert command.summary(good, held=True)["crash"] == "ok"
    slow = Figures(backend_restarts=[900.0, 2_100.0])
    assert command.summary(slow, held=True)["crash"] == "slow"
    broken = Figures(problems=[Problem(Kind.LOST, "one"), Problem(Kind.LIST, "another")])
    line = command.summary(broken, held=False)
    assert (line["crash"], line["lost"], line["doubled"], line["other"]) == ("failed", 1, 0, 1)
    json.dumps(line)
