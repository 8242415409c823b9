"""Whether a disk has no room left, however the error says it."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

FreeBytes = Callable[[Path], int]

_CODES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# SQLite says so in many ways: it cannot make or lengthen a file that it needs beside its own.
_PERHAPS = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
# What is left of a disk that is full; the files beside need some tens of KiB.
_FULL_BYTES = 256 * 1024


def free_bytes(folder: Path) -> int:
    """How much this account can still write there. Raises OSError."""
    return shutil.disk_usage(folder).free


def has_no_room(
    error: sqlite3.Error | OSError, folder: Path | None, free: FreeBytes = free_bytes
) -> bool:
    """Whether `error` came of a full disk; `folder` is where the file lies, None in memory."""
    if isinstance(error, OSError):
        return error.errno in _CODES
    # Errors of the module itself, such as of a connection that was closed, have no code.
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or folder is None or code & 0xFF not in _PERHAPS:
        return code == sqlite3.SQLITE_FULL
    try:
        return free(folder) < _FULL_BYTES
    except OSError:
        return False
