"""Preferences are kept, and a damaged file costs nothing but its memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.arguments import read_arguments
from console.preferences import PreferenceFile, Preferences
from console.theme_choice import ThemeChoice
from tests.support.watch import ExpectedLogs


def test_they_are_kept(tmp_path: Path) -> None:
    file = PreferenceFile(tmp_path / "new" / "preferences.json")
    assert file.current == Preferences()
    file.change(theme=ThemeChoice.DARK)
    file.change(backend="https://bursar.example.org")
    again = PreferenceFile(tmp_path / "new" / "preferences.json")
    assert again.current == Preferences(ThemeChoice.DARK, "https://bursar.example.org")


def test_the_choice_to_be_notified_is_kept_and_on_by_default(tmp_path: Path) -> None:
    path = tmp_path / "preferences.json"
    path.write_text('{"theme":"dark","backend":""}')  # as written before there was the choice
    file = PreferenceFile(path)
    assert file.current == Preferences(ThemeChoice.DARK, "", notify=True)
    file.change(notify=False)
    file.change(theme=ThemeChoice.LIGHT)
    assert not PreferenceFile(path).current.notify


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"theme":"pink","backend":""}', "\x00"])
def test_a_damaged_file_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "preferences.json"
    path.write_text(content)
    assert PreferenceFile(path).current == Preferences()


def test_a_disk_that_refuses_stops_nobody(tmp_path: Path, expected_logs: ExpectedLogs) -> None:
    (tmp_path / "file").write_text("in the way")
    file = PreferenceFile(tmp_path / "file" / "preferences.json")
    with expected_logs("cannot be written"):
        file.change(theme=ThemeChoice.LIGHT)
    assert file.current.theme is ThemeChoice.LIGHT


def test_arguments(tmp_path: Path) -> None:
    plain = read_arguments([], default_data=tmp_path)
    assert (plain.data, plain.backend, plain.theme, plain.automation) == (tmp_path, "", None, False)
    given = read_arguments(
        ["--backend", "https://x", "--theme", "dark", "--data", str(tmp_path / "d")],
        default_data=tmp_path,
    )
    assert given.backend == "https://x"
    assert given.theme is ThemeChoice.DARK
    assert given.data == tmp_path / "d"
    with pytest.raises(SystemExit):
        read_arguments(["--theme", "pink"], default_data=tmp_path)
