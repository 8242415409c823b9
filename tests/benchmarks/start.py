"""From the start of the process to a window on the screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.benchmarks.processes import BenchError
from tests.benchmarks.report import Line, median
from tests.benchmarks.scale import Scale


def start_to_first_paint(scale: Scale) -> Iterator[Line]:
    """Milliseconds from starting the console's process to its first painted window, offscreen.

    The limit is an empty PySide6 window of the same size, started turn by turn with ours; medians.
    The first turn warms the disk's cache and does not count.
    """
    data = scale.sub("start")
    ours: list[float] = []
    empty: list[float] = []
    for turn in range(scale.starts + 1):
        times = _paint("console", str(data / str(turn))), _paint("empty")
        if turn:
            ours.append(times[0])
            empty.append(times[1])
    yield Line("start_to_first_paint", "median", "ms", median(ours), median(empty))


def _paint(*arguments: str) -> float:
    start = time.monotonic_ns()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.first_paint", *arguments],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError((done.stderr.splitlines() or ["the window did not open"])[-1])
    painted = json.loads(done.stdout)["painted_ns"]
    if painted is None:
        raise BenchError("the window was not painted")
    return float(painted - start) / 1e6
