"""Files for this account only: written in one step, and set aside instead of deleted. Blocks."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

PRIVATE = 0o600


def write_private(path: Path, data: bytes) -> None:
    """Replace the file in one step: after a crash it is the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes files of mode 0600.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def move_aside(path: Path, at: datetime) -> Path:
    """Rename a file that cannot be used; its new path, beside the old one and free before."""
    for kept in _free_names(path, at):
        if not kept.exists():
            path.rename(kept)
            sync_folder(path.parent)
            return kept
    raise AssertionError("names never end")


def copy_aside(path: Path, at: datetime, *, sides: tuple[str, ...] = ()) -> Path:
    """Copy a file, and those beside it that only add one of `sides` to its name, to a free name.

    What is not there is left out; the first copy's path. They are on the disk when this returns.
    """
    there = [side for side in ("", *sides) if _beside(path, side).exists()]
    for kept in _free_names(path, at):
        if any(_beside(kept, side).exists() for side in ("", *sides)):
            continue
        for side in there:
            _copy(_beside(path, side), _beside(kept, side))
        sync_folder(path.parent)
        return _beside(kept, there[0]) if there else kept
    raise AssertionError("names never end")


def sync_folder(folder: Path) -> None:
    """A new name is on the disk too; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free_names(path: Path, at: datetime) -> Iterator[Path]:
    stem = f"{path.name}.aside-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    yield path.with_name(stem)
    for number in count(2):
        yield path.with_name(f"{stem}-{number}")


def _beside(path: Path, side: str) -> Path:
    return path.with_name(path.name + side)


def _copy(source: Path, target: Path) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())
