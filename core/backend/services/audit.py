"""`AuditTrail`: the ledger as people read it: filtered pages, names, and proofs of inclusion."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from core.backend.services.errors import InvalidError, NotFoundError
from core.backend.services.rows import Rows, actor_name
from core.backend.storage import audit, ledger, lookups, queries
from core.backend.storage.audit import EntryFilter, Span
from core.backend.storage.ledger import StoredEntry
from core.backend.storage.reader import Reader
from core.backend.storage.workspace import user_of
from core.domain.references import InvalidReferenceError, parse_reference
from core.domain.roles import GATEWAY, SYSTEM
from core.ledger.errors import ProofError
from core.ledger.text import write_base64
from core.ledger.tree import prove_inclusion
from core.protocol.messages import (
    AUDIT_PAGE_ROWS,
    AuditActor,
    AuditActors,
    AuditEntry,
    AuditOutline,
    AuditPage,
    InclusionProof,
)

OUTLINE_ROWS = 20_000
"""So many matching entries are counted at a time; scrolling further asks for more."""

_SUBJECT = re.compile(r"[a-z][a-z_]{0,31}:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery:
    """What somebody wants to see. `about` is an enrollment's reference or id, or any subject."""

    actor: str | None = None
    action: str | None = None
    about: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _About:
    """What an entry's subject is called; a reference only where it is an enrollment."""

    name: str
    reference: str | None = None


class AuditTrail:
    """`rows` opens sealed names: they are in no leaf."""

    def __init__(self, *, reader: Reader, rows: Rows) -> None:
        self._reader = reader
        self._rows = rows

    async def page(self, query: AuditQuery, *, before: int | None, limit: int) -> AuditPage:
        """The newest `limit` matching entries with an index below `before`, newest first.

        Raises InvalidError for an `about` that cannot be, NotFoundError where there is none.
        """
        return await self._reader.run(lambda c: self._page(c, query, before, limit))

    async def outline(self, query: AuditQuery, *, before: int | None) -> AuditOutline:
        """Where the pages of a filtered list begin. Raises as `page` does."""
        return await self._reader.run(lambda c: _outline(c, query, before))

    async def actors(self) -> AuditActors:
        """Who may be filtered by: the staff by name, and the two that are no persons."""
        users = await self._reader.run(lookups.read_all_users)
        staff = [(f"user:{user.id}", user.name) for user in users]
        others = [(actor.code, actor_name(actor.code, {}, "")) for actor in (GATEWAY, SYSTEM)]
        named = [*sorted(staff, key=lambda one: one[1].casefold()), *others]
        return AuditActors(actors=tuple(AuditActor(actor=a, name=name) for a, name in named))

    async def inclusion(self, index: int, size: int) -> InclusionProof:
        """Raises InvalidError where there is no such tree or entry."""
        return await self._reader.run(lambda c: _prove(c, index, size))

    def _page(
        self, connection: Connection, query: AuditQuery, before: int | None, limit: int
    ) -> AuditPage:
        size, wanted, span = _place(connection, query, before)
        found = audit.read_filtered(connection, wanted, span, limit)
        return AuditPage(size=size, entries=tuple(self._named(connection, found)))

    def _named(self, connection: Connection, entries: Sequence[StoredEntry]) -> list[AuditEntry]:
        about = self._abouts(connection, {entry.subject for entry in entries})
        students = self._students(connection, _ids("student", (e.actor for e in entries)))
        staff = {user for entry in entries if (user := user_of(entry.actor)) is not None}
        names = queries.read_names(connection, staff)
        return [
            AuditEntry(
                index=entry.index,
                leaf=entry.leaf.decode(),
                actor_name=actor_name(entry.actor, names, students.get(entry.actor, "A student")),
                about=about[entry.subject].name if entry.subject in about else "",
                reference=about[entry.subject].reference if entry.subject in about else None,
            )
            for entry in entries
        ]

    def _students(self, connection: Connection, ids: set[UUID]) -> dict[str, str]:
        found = lookups.read_students(connection, ids) if ids else []
        return {f"student:{one.id}": self._rows.person(one).name for one in found}

    def _abouts(self, connection: Connection, subjects: set[str]) -> dict[str, _About]:
        """What the subjects are called; those that have no name, or are gone, are left out."""
        bundles = queries.read_bundles(connection, _ids("enrollment", subjects))
        named: dict[str, _About] = {
            f"enrollment:{bundle.enrollment.id}": _About(
                self._rows.person(bundle.student).name, bundle.enrollment.reference
            )
            for bundle in bundles
        }
        students = self._students(connection, _ids("student", subjects))
        named |= {subject: _About(name) for subject, name in students.items()}
        devices = _ids("device", subjects)
        owners = {d.id: d.user_id for d in lookups.read_devices(connection, devices)}
        people = queries.read_names(connection, _ids("user", subjects) | {*owners.values()})
        named |= {f"user:{user}": _About(name) for user, name in people.items()}
        named |= {f"device:{d}": _About(people[o]) for d, o in owners.items() if o in people}
        courses = lookups.read_courses(connection, _ids("course", subjects))
        return named | {f"course:{course.id}": _About(course.title) for course in courses}


def _outline(connection: Connection, query: AuditQuery, before: int | None) -> AuditOutline:
    size, wanted, span = _place(connection, query, before)
    if wanted.is_empty:
        return AuditOutline(size=size, total=span.end, starts=(), next_before=None, subject=None)
    found = audit.read_indexes(connection, wanted, span, OUTLINE_ROWS + 1)
    counted = found[:OUTLINE_ROWS]
    return AuditOutline(
        size=size,
        total=len(counted),
        starts=tuple(counted[::AUDIT_PAGE_ROWS]),
        next_before=counted[-1] if len(found) > len(counted) else None,
        subject=wanted.subject,
    )


def _place(
    connection: Connection, query: AuditQuery, before: int | None
) -> tuple[int, EntryFilter, Span]:
    """The ledger's size, the filter with its subject found, and where to look."""
    size = ledger.read_head(connection).size
    wanted = EntryFilter(
        actor=query.actor,
        action=query.action,
        subject=None if query.about is None else _subject(connection, query.about),
        since=query.since,
        until=query.until,
    )
    span = audit.find_span(connection, wanted, size)
    return size, wanted, span if before is None else replace(span, end=min(span.end, before))


def _subject(connection: Connection, about: str) -> str:
    """The subject that a person or program means."""
    text = about.strip()
    if _SUBJECT.fullmatch(text):
        return text
    if _SUBJECT.fullmatch(f"enrollment:{text.lower()}"):
        return f"enrollment:{text.lower()}"
    try:
        reference = parse_reference(text)
    except InvalidReferenceError as error:
        raise InvalidError("wrong_reference", str(error)) from error
    found = audit.find_enrollment(connection, reference)
    if found is None:
        raise NotFoundError("unknown_enrollment", "There is no enrollment with this reference.")
    return f"enrollment:{found}"


def _ids(kind: str, codes: Iterable[str]) -> set[UUID]:
    """The ids in codes such as `enrollment:<id>`."""
    parts = (code.partition(":") for code in codes)
    return {UUID(text) for found, _, text in parts if found == kind}


def _prove(connection: Connection, index: int, size: int) -> InclusionProof:
    if size > ledger.read_head(connection).size:
        raise InvalidError("no_proof", "The ledger is not that long.")
    try:
        proof = prove_inclusion(index, size, ledger.node_reader(connection))
    except ProofError as error:
        raise InvalidError(
            "no_proof", "There is no such entry in a ledger of that size."
        ) from error
    return InclusionProof(index=index, size=size, hashes=tuple(write_base64(h) for h in proof))
