"""`python -m tests.crash --cycles N [--seed S]`; see the package's own words."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.report import median, percentile
from tests.crash.campaign import Figures, Plan, run_house
from tests.crash.checks import Kind, count

LIMIT_MS = 2_000.0
CYCLES_PER_HOUSE = 10
"""Ledgers stay short, so that all of it is verified after every kill."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.crash", description=__doc__)
    parser.add_argument("--cycles", type=int, default=20, help="kills of each program")
    parser.add_argument("--seed", default="0", help="chooses the moments and the work")
    parser.add_argument(
        "--windows", type=float, default=0.3, help="share of consoles with a window"
    )
    chosen = parser.parse_args()
    figures = Figures()
    folder = Path(tempfile.mkdtemp(prefix="bursar-crash-"))
    held = _houses(folder, chosen.cycles, chosen.seed, chosen.windows, figures)
    for problem in figures.problems:
        print(f"{problem.kind}: {problem.what}")
    if held:
        shutil.rmtree(folder)
    else:
        print(f"What is left of it: {folder}")
    print(json.dumps(summary(figures, held=held)))
    return 0 if held and _restarts(figures)[2] <= LIMIT_MS else 1


def _houses(folder: Path, cycles: int, seed: str, windows: float, figures: Figures) -> bool:
    done = 0
    while done < cycles:
        some = min(CYCLES_PER_HOUSE, cycles - done)
        plan = Plan(cycles=some, seed=f"{seed}-{done}", windows=windows)
        home = folder / plan.seed
        if not run_house(home, plan, figures):
            return False
        shutil.rmtree(home)
        done += some
        print(f"{done} + {done} kills, {figures.decisions} decisions", flush=True)
    return True


def _restarts(figures: Figures) -> tuple[float, float, float]:
    """Median, p99 and the longest, of all."""
    every = figures.backend_restarts + figures.officer_restarts + figures.window_restarts
    return (median(every), percentile(every, 99), max(every)) if every else (0.0, 0.0, 0.0)


def summary(figures: Figures, *, held: bool) -> dict[str, object]:
    """The last line. `crash` is "ok", "failed", or "slow": a restart took longer than it may."""
    found = count(figures.problems)
    middle, p99, longest = _restarts(figures)
    word = "ok" if longest <= LIMIT_MS else "slow"
    answer: dict[str, object] = {
        "crash": word if held else "failed",
        "backend_kills": figures.backend_kills,
        "console_kills": figures.console_kills,
        "of_them_windows": figures.window_kills,
        "killed_at_work": figures.killed_at_work,
        "killed_starting": figures.killed_starting,
        "payments": figures.payments,
        "decisions": figures.decisions,
        "signed_in_again": figures.signed_in_again,
        "lost": found[Kind.LOST],
        "doubled": found[Kind.DOUBLED],
        "silent": found[Kind.SILENT],
        "other": sum(found.values()) - found[Kind.LOST] - found[Kind.DOUBLED] - found[Kind.SILENT],
        "restart_median_ms": round(middle),
        "restart_p99_ms": round(p99),
        "restart_max_ms": round(longest),
    }
    for name, times in (
        ("backend", figures.backend_restarts),
        ("officer", figures.officer_restarts),
        ("window", figures.window_restarts),
    ):
        if times:
            answer[f"{name}_median_ms"] = round(median(times))
            answer[f"{name}_p99_ms"] = round(percentile(times, 99))
    return answer


if __name__ == "__main__":
    sys.exit(main())
