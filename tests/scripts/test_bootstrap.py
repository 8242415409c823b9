"""The commands: listed, the same in the Makefile, and plain when something is wrong."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from scripts import bootstrap
from scripts.environment import ROOT, SetupError


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main([]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +\w", shown, re.MULTILINE) for name in bootstrap.COMMANDS)


def test_the_makefile_has_the_same_commands() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^TARGETS := (.*)$", makefile, re.MULTILINE)
    assert targets is not None
    assert set(targets[1].split()) == set(bootstrap.COMMANDS)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")
@pytest.mark.parametrize(
    ("given", "handed_on"),
    [
        (["simulate", "SEEDS=7", "FIRST=3"], "simulate --seeds 7 --first 3"),
        (["simulate"], "simulate"),
        (["crash", "N=2", "ARGS=--seed 5"], "crash --cycles 2 --seed 5"),
        (["bench", "ARGS=replay", "N=2"], "bench replay"),
    ],
)
def test_make_hands_its_variables_on(given: list[str], handed_on: str) -> None:
    # Run by `make test`, this make would take itself for a part of that one.
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFL"))
    }
    done = subprocess.run(
        ["make", "--dry-run", *given],
        cwd=ROOT, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert " ".join(done.stdout.split()).endswith(f"scripts/bootstrap.py {handed_on}")


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["fly"]) == 2
    assert "no command 'fly'" in capsys.readouterr().err


def test_a_problem_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise SetupError("Install this first.")

    monkeypatch.setattr(bootstrap, "prepare", fail)
    assert bootstrap.main(["setup"]) == 1
    assert capsys.readouterr().err == "Install this first.\n"


@pytest.mark.parametrize(
    ("display", "wayland", "started"),
    [("", "", "scripts.demo"), (":0", "", "console"), ("", "wayland-0", "console")],
)
def test_run_without_a_display_says_so_and_runs_the_demo(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    display: str,
    wayland: str,
    started: str,
) -> None:
    ran: list[list[str]] = []

    def python(arguments: list[str]) -> int:
        ran.append(arguments)
        return 7

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setenv("WAYLAND_DISPLAY", wayland)
    monkeypatch.setattr(bootstrap, "prepare", lambda: None)
    monkeypatch.setattr(bootstrap, "_python", python)
    assert bootstrap.main(["run"]) == 7
    assert ran == [["-m", started]]
    said = "no display here" in capsys.readouterr().out
    assert said == (started == "scripts.demo")


def test_the_lock_names_no_place() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")


_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("ready", flush=True)
print("cleaned" if input() == "go" else "lost", flush=True)
raise SystemExit(7)
"""
_STARTER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell has it ignored
from scripts import bootstrap
sys.exit(bootstrap._python(["-c", sys.argv[1]]))
"""


def test_what_was_started_ends_in_its_own_time_after_ctrl_c() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _STARTER, _PROGRAM],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as starter:  # fmt: skip
        assert starter.stdin is not None
        assert starter.stdout is not None
        assert starter.stdout.readline() == "ready\n"
        # Twice: after the first one a parent may wait for a moment before it kills.
        starter.send_signal(signal.SIGINT)
        starter.send_signal(signal.SIGINT)
        starter.stdin.write("go\n")
        starter.stdin.flush()
        assert starter.stdout.readline() == "cleaned\n"
        assert starter.wait() == 7
