"""Reads for the audit trail: pages of entries by index, newest first, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, select

from core.backend.storage.ledger import StoredEntry
from core.backend.storage.tables import enrollments, ledger_entries

# How far a clock may have been set back before an entry can be missed at the edge of a time range.
CLOCK_SLACK = timedelta(days=1)
_columns = ledger_entries.c


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """All that is given must hold; `since` is included, `until` is not. `action` is one code."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return self == EntryFilter()


@dataclass(frozen=True, slots=True)
class Span:
    """Where to look: entries from `begin` up to, not including, `end`."""

    begin: int
    end: int


def find_span(connection: Connection, wanted: EntryFilter, size: int) -> Span:
    """The part of a ledger of `size` entries that a time range can lie in; O(log n) look-ups."""
    begin, end = 0, size
    # Within a day of the first or the last moment there is, a clock was never set back.
    with suppress(OverflowError):
        if wanted.since is not None:
            begin = _first_at(connection, size, wanted.since - CLOCK_SLACK)
    with suppress(OverflowError):
        if wanted.until is not None:
            end = _first_at(connection, size, wanted.until + CLOCK_SLACK)
    return Span(begin, end)


def read_filtered(
    connection: Connection, wanted: EntryFilter, span: Span, limit: int
) -> list[StoredEntry]:
    """The newest `limit` matching entries of the span, newest first."""
    query = _matching(select(ledger_entries), wanted, span).limit(limit)
    return [StoredEntry(**row) for row in connection.execute(query).mappings()]


def read_indexes(connection: Connection, wanted: EntryFilter, span: Span, limit: int) -> list[int]:
    """Only the indexes of the same entries."""
    query = _matching(select(_columns.index), wanted, span).limit(limit)
    return list(connection.execute(query).scalars())


def find_enrollment(connection: Connection, reference: str) -> UUID | None:
    """The enrollment with this plain reference."""
    query = select(enrollments.c.id).where(enrollments.c.reference == reference)
    return connection.execute(query).scalar_one_or_none()


def _matching(query: Select[Any], wanted: EntryFilter, span: Span) -> Select[Any]:
    conditions = [_columns.index >= span.begin, _columns.index < span.end, *_conditions(wanted)]
    return query.where(*conditions).order_by(_columns.index.desc())


def _conditions(wanted: EntryFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.actor is not None:
        yield _columns.actor == wanted.actor
    if wanted.action is not None:
        yield _columns.action == wanted.action
    if wanted.subject is not None:
        yield _columns.subject == wanted.subject
    if wanted.since is not None:
        yield _columns.at >= wanted.since
    if wanted.until is not None:
        yield _columns.at < wanted.until


def _first_at(connection: Connection, size: int, moment: datetime) -> int:
    """The first entry at or after `moment`, were all clocks right; `size` where there is none."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        at = connection.execute(select(_columns.at).where(_columns.index == middle)).scalar_one()
        low, high = (middle + 1, high) if at < moment else (low, middle)
    return low
