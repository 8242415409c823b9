"""The command line about the house: staff, devices and the workspace of a data folder."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from core.backend.cli import main
from core.backend.configuring import DATABASE_FILE
from core.backend.ledger_check import verify_ledger

Say = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path, capsys: Say, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A fresh folder with its first administrator."""
    data = ["--data", str(tmp_path / "data")]
    assert main(["migrate", *data]) == 0
    _type(monkeypatch, "a long password")
    person = ["--email", "Ayesha@College.example", "--name", "Ayesha Patel"]
    add = ["user", "add", *person, "--role", "administrator", "--password-stdin", *data]
    assert main(add) == 0
    capsys.readouterr()
    return data


def _type(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text + "\n"))


def _add_officer(monkeypatch: pytest.MonkeyPatch, data: list[str]) -> None:
    _type(monkeypatch, "a long password")
    person = ["--email", "thandi@college.example", "--name", "Thandi Mokoena"]
    add = ["user", "add", *person, "--role", "officer", "--password-stdin", *data]
    assert main(add) == 0


def test_the_staff_is_listed_and_changed(
    data: list[str], capsys: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_officer(monkeypatch, data)
    email = "THANDI@college.example"
    roles = ["--role", "officer", "--role", "supervisor"]
    assert main(["user", "roles", email, *roles, *data]) == 0
    assert main(["user", "disable", email, *data]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("officer, supervisor  disabled")
    assert main(["user", "enable", email, *data]) == 0
    _type(monkeypatch, "another long password")
    assert main(["user", "password", email, "--password-stdin", *data]) == 0
    capsys.readouterr()
    assert main(["user", "list", *data]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "ayesha@college.example  Ayesha Patel  administrator  active",
        "thandi@college.example  Thandi Mokoena  officer, supervisor  active",
    ]
    report = verify_ledger(str(Path(data[1]) / DATABASE_FILE)).report
    assert report.size == 6


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["user", "disable", "ayesha@college.example"], "last administrator"),
        (["user", "roles", "ayesha@college.example", "--role", "officer"], "last administrator"),
        (["user", "enable", "ayesha@college.example"], "not disabled"),
        (["user", "disable", "nobody@college.example"], "Nobody"),
        (["devices", "revoke", "00000000-0000-7000-8000-000000000000"], "no such device"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    data: list[str], capsys: Say, command: list[str], words: str
) -> None:
    assert main([*command, *data]) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert len(said.err.splitlines()) == 1
    assert not said.out


@pytest.mark.parametrize(
    "command",
    [
        ["user", "roles", "ayesha@college.example", "--role", "student"],
        ["workspace", "set", "--name", ""],
        ["workspace", "set", "--bank", "x" * 201],
        ["workspace", "set", "--two-signatures-from", "much"],
        ["devices", "revoke", "not-an-id"],
    ],
)
def test_what_makes_no_sense_is_refused(data: list[str], capsys: Say, command: list[str]) -> None:
    assert main([*command, *data]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_password_that_is_too_short_is_not_set(
    data: list[str], capsys: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    _type(monkeypatch, "short")
    assert main(["user", "password", "ayesha@college.example", "--password-stdin", *data]) == 2
    assert "short" not in capsys.readouterr().err.replace("too short", "")


def test_a_workspace_is_set_up_step_by_step(data: list[str], capsys: Say) -> None:
    assert main(["workspace", "set", "--name", "Test College", *data]) == 0
    half = ["workspace", "set", "--bank", "Test Bank", *data]
    assert main(half) == 1
    assert "branch code" in capsys.readouterr().err
    account = [
        "--bank", "Test Bank", "--account-name", "Test College", "--account-number", "62 1",
        "--branch-code", "250655",
    ]  # fmt: skip
    assert main(["workspace", "set", *account, *data]) == 0
    assert main(["workspace", "set", "--two-signatures-from", "20000.00", *data]) == 0
    capsys.readouterr()
    assert main(["workspace", "show", *data]) == 0
    said = capsys.readouterr().out.replace("\u00a0", " ").splitlines()
    assert said == [
        "Name: Test College", "Bank: Test Bank", "Account name: Test College",
        "Account number: 62 1", "Branch code: 250655", "Two signatures from: R 20 000.00",
    ]  # fmt: skip
    assert main(["workspace", "set", "--two-signatures-from", "never", *data]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Two signatures from: never"


def test_devices_are_listed(data: list[str], capsys: Say) -> None:
    assert main(["devices", "list", *data]) == 0
    assert capsys.readouterr().out == ""
