"""The run-time part of the lock: all that the project needs, and nothing of the tests."""

from __future__ import annotations

import re
import tomllib

import pytest

from scripts.environment import ROOT
from scripts.runtime_lock import LockError, runtime_lock

LOCK = """\
alpha==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via bursar (pyproject.toml)
beta==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:bb
    # via
    #   alpha
    #   tool
gamma==3.0 \\
    --hash=sha256:cc
    # via beta
only-for-tests==1.0 \\
    --hash=sha256:dd
    # via bursar (pyproject.toml:dev)
tool==4.0 \\
    --hash=sha256:ee
    # via bursar (pyproject.toml:dev)
under-tests==1.0 \\
    --hash=sha256:ff
    # via only-for-tests
under-tool==1.0 \\
    --hash=sha256:00
    # via
    #   only-for-tests
    #   tool
"""


def names(lock: str) -> list[str]:
    return re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE)


def test_it_follows_who_asked_for_what() -> None:
    assert names(runtime_lock(LOCK)) == ["alpha", "beta", "gamma"]
    with_tool = ["alpha", "beta", "gamma", "tool", "under-tool"]
    assert names(runtime_lock(LOCK, tools=["tool"])) == with_tool


def test_lines_stay_as_they_are() -> None:
    kept = runtime_lock(LOCK).splitlines()
    assert kept == LOCK.splitlines()[: len(kept)]


def test_a_tool_that_is_not_locked_is_told() -> None:
    with pytest.raises(LockError, match="does not have hammer"):
        runtime_lock(LOCK, tools=["hammer"])


@pytest.mark.parametrize("lock", ["", "# nothing\n", LOCK.replace("bursar (", "other (")])
def test_a_lock_without_the_project_is_refused(lock: str) -> None:
    with pytest.raises(LockError, match="what the project itself needs"):
        runtime_lock(lock)


def test_a_line_without_a_version_is_refused() -> None:
    with pytest.raises(LockError, match="without a version: alpha"):
        runtime_lock("alpha @ somewhere\n")


def test_the_real_lock_keeps_every_dependency_and_no_test_package() -> None:
    kept = set(names(runtime_lock((ROOT / "requirements.lock").read_text(encoding="utf-8"))))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    plain = re.compile(r"[a-z0-9-]+")
    needed = {plain.match(line) for line in project["project"]["dependencies"]}
    assert {match[0] for match in needed if match} <= kept
    dev = {plain.match(line) for line in project["dependency-groups"]["dev"]}
    assert not {match[0] for match in dev if match} & kept
