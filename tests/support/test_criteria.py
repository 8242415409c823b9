"""The list of criteria is whole, the report tells the truth, and a wrong number stops a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.criteria import CRITERIA, report

ROOT = Path(__file__).resolve().parents[2]


def test_all_criteria_are_there() -> None:
    assert list(CRITERIA) == [f"{group}.{n}" for group in range(1, 9) for n in range(1, 5)]


def test_the_report_names_tests_and_gaps() -> None:
    text = report({"4.1": ["tests/a.py::test_live", "tests/b.py::test_page"]})
    after = text[text.index("4.1  ") :]
    assert after.index("- tests/a.py::test_live") < after.index("4.2  ")
    assert "- tests/b.py::test_page" in after
    assert text.count("not yet proved") == 31
    assert text.endswith("1 of 32 criteria are proved by a test.")


def _run(folder: Path, test: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = "[pytest]\nmarkers =\n    req(*ids): criteria\n"
    (folder / "pytest.ini").write_text(settings, encoding="utf-8")
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.support.criteria"]')
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("mark", ['req("9.1")', "req", 'req("4.1", "4.5")'])
def test_a_mark_that_names_no_criterion_stops_the_run(tmp_path: Path, mark: str) -> None:
    test = f"import pytest\n@pytest.mark.{mark}\ndef test_it(): pass\n"
    run = _run(tmp_path, test, "pytest")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is not an acceptance criterion" in run.stderr + run.stdout


def test_the_command_lists_marked_tests_once(tmp_path: Path) -> None:
    test = (
        "import pytest\n"
        '@pytest.mark.req("4.1", "4.4")\n'
        '@pytest.mark.parametrize("n", [1, 2])\n'
        "def test_it(n): pass\n"
    )
    run = _run(tmp_path, test, "tests.support.criteria")
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("test_it.py::test_it\n") == 2
    assert "2 of 32 criteria" in run.stdout


def test_the_command_fails_when_tests_cannot_be_collected(tmp_path: Path) -> None:
    run = _run(tmp_path, "import nothing_of_this_name\n", "tests.support.criteria")
    assert run.returncode == 1
    assert "nothing_of_this_name" in run.stderr
    assert "could not be collected" in run.stderr
