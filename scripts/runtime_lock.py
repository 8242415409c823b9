"""The part of requirements.lock that the programs need at run time, hashes and all.

Standard library only. uv writes under each package who asked for it; following that from the
project's own dependencies leaves out everything that only tests and tools need.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_PROJECT = "bursar (pyproject.toml)"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(?===)")


class LockError(Exception):
    """The lock is not what uv writes; the message says where."""


@dataclass(frozen=True, slots=True)
class _Locked:
    """One package: its lines as they stand, and who asked for it."""

    lines: tuple[str, ...]
    wanted_by: frozenset[str]


def runtime_lock(lock: str, *, tools: Collection[str] = ()) -> str:
    """The lines of `lock` for the project's dependencies, for `tools`, and for all they need.

    Raises `LockError`.
    """
    packages = _read(lock)
    unknown = set(tools) - set(packages)
    if unknown:
        raise LockError(f"requirements.lock does not have {', '.join(sorted(unknown))}")
    kept = set(tools) | {name for name, one in packages.items() if _PROJECT in one.wanted_by}
    if kept == set(tools):
        raise LockError("requirements.lock does not say what the project itself needs")
    while more := {name for name, one in packages.items() if one.wanted_by & kept} - kept:
        kept |= more
    return "\n".join(line for name in packages if name in kept for line in packages[name].lines)


def _read(lock: str) -> dict[str, _Locked]:
    blocks: dict[str, list[str]] = {}
    name = ""
    for line in lock.splitlines():
        if not line.startswith((" ", "#")) and line:
            found = _NAME.match(line)
            if found is None:
                raise LockError(f"requirements.lock has a line without a version: {line}")
            name = found[0]
        if name and line:
            blocks.setdefault(name, []).append(line)
    return {name: _Locked(tuple(lines), _askers(lines)) for name, lines in blocks.items()}


def _askers(lines: list[str]) -> frozenset[str]:
    """From `# via one`, or `# via` and a line for each."""
    notes = [line.strip().removeprefix("#").strip() for line in lines if line.lstrip()[0] == "#"]
    return frozenset(note.removeprefix("via").strip() for note in notes) - {""}
