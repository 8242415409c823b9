"""Conditions over keys of two columns, so that an index serves them on both engines."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, ColumnElement, and_


def among(
    first: Column[Any], second: Column[Any], keys: Collection[tuple[Any, Any]]
) -> ColumnElement[bool]:
    """Rows whose two columns are among the keys' first and second parts.

    More rows than asked for may fit: the caller picks by pair. SQLite reads the whole table for
    `(first, second) IN (...)`.
    """
    return and_(first.in_({key[0] for key in keys}), second.in_({key[1] for key in keys}))
