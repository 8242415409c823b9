"""`make bench`: one benchmark of each kind runs, in small, and prints what it promises.

`make bench ARGS=--smoke` runs all of them so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from scripts.environment import ROOT
from tests.benchmarks.report import Line, median, percentile

FIELDS = ["bench", "metric", "value", "unit", "limit", "ratio"]


def run(*names: str) -> list[dict[str, Any]]:
    """The lines of a run as small as it can be."""
    # The tests' own keyring is a trap for whoever touches it; a machine without one is not.
    without_keyring = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--smoke", *names],
        cwd=ROOT, env=without_keyring, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("names", "units"),
    [
        (["durable_decisions"], ["1/s", "1/s"]),
        (["start_to_first_paint"], ["ms"]),
        (["fanout_deliveries", "memory_per_socket"], ["1/s", "KiB"]),
    ],
)
def test_each_benchmark_prints_its_lines(names: Sequence[str], units: Sequence[str]) -> None:
    lines = run(*names)
    told = lines[: len(units)]  # what comes after needs what is not on every machine
    assert [line["unit"] for line in told] == units
    assert {line["bench"] for line in lines} == set(names)
    for line in lines:
        assert list(line)[: len(FIELDS)] == FIELDS
        assert line["value"] is not None or line["note"]
    for line in told:
        if line["value"] is not None and line["limit"]:
            assert line["ratio"] == pytest.approx(line["value"] / line["limit"], rel=0.01)
    assert told[0]["value"] > 0


def test_an_unknown_benchmark_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "fly"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no benchmark 'fly'" in done.stdout


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(number) for number in range(500, 0, -1)]
    assert percentile(values, 99) == 495.0
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert percentile([7.0], 99) == 7.0


def test_a_benchmark_that_could_not_run_says_why() -> None:
    line = json.loads(Line("a", "b", "ms", None, note="no browser").json())
    assert (line["value"], line["ratio"], line["note"]) == (None, None, "no browser")
