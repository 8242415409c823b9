"""A ledger of any length for the Audit screen: entries are made when they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import islice
from uuid import UUID

from console.auditing import AuditPort
from core.client.audit import AuditQuery, Check, EntryChecks, Standing
from core.client.errors import ClientError
from core.domain.references import normalise
from core.ledger.canonical import Json
from core.ledger.leaf import Leaf, Signed, encode
from core.protocol.messages import (
    AUDIT_PAGE_ROWS,
    AuditActor,
    AuditActors,
    AuditEntry,
    AuditOutline,
    AuditPage,
)
from tests.console import samples

OFFICERS = {
    f"user:{samples.ME}": "Palesa Ndlovu",
    f"user:{samples.OTHER}": "Thandi Mokoena",
    f"user:{UUID(int=9)}": "Pieter Botha",
}
OTHERS = {"gateway": "Card provider", "system": "System"}
OUTLINE_ROWS = 20_000
_ACTIONS = (
    "enrollment.enrolled", "claim.submitted", "enrollment.approved", "enrollment.enrolled",
    "claim.submitted", "enrollment.rejected", "student.registered", "enrollment.first_signature",
    "enrollment.enrolled", "decision.refused", "claim.submitted", "enrollment.approval_reversed",
    "device.enrolled", "course.changed", "user.roles_changed", "workspace.set",
)  # fmt: skip
_BY_OFFICER = frozenset(
    {"enrollment.approved", "enrollment.rejected", "enrollment.first_signature"}
    | {"decision.refused", "enrollment.approval_reversed"}
)
_SYSTEM = frozenset({"device.enrolled", "course.changed", "user.roles_changed", "workspace.set"})


def _facts(action: str, number: int) -> dict[str, Json]:
    row = samples.row(number)
    if action.startswith(("enrollment.", "claim.", "decision.")):
        facts: dict[str, Json] = {
            "student": str(row.student.id),
            "course": str(row.course),
            "status": "pending",
            "round": 1,
            "reference": row.reference,
            "method": "eft",
            "amount_cents": row.amount_cents,
            "claim_cents": None if action == "enrollment.enrolled" else row.amount_cents,
            "signatures": 0,
        }
        if action in _BY_OFFICER:
            facts |= {"verdict": "approve", "reason": None, "amount_received": None}
        if action in {"enrollment.rejected", "enrollment.approval_reversed"}:
            facts |= {"verdict": "reject", "reason_code": "wrong_amount", "reason": "ab" * 32}
        if action == "decision.refused":
            facts |= {"code": "conflict_decided"}
        return facts
    if action == "course.changed":
        return {"price_cents": 299_900, "lessons": 8, "content": "cd" * 32}
    if action == "user.roles_changed":
        return {"roles": ["officer", "supervisor"], "were": ["officer"]}
    if action == "device.enrolled":
        return {"root": False, "roles": ["officer"], "user": str(samples.OTHER)}
    return {"demo": True, "threshold_cents": 1_000_000} if action == "workspace.set" else {}


@lru_cache(maxsize=50_000)
def entry(index: int, size: int) -> AuditEntry:
    """The entry with this index of a ledger of `size` entries, of which the last came just now."""
    action = _ACTIONS[index % len(_ACTIONS)]
    number = index // 3 % 5_000
    row = samples.row(number)
    about_enrollment = action.startswith(("enrollment.", "claim.", "decision."))
    if action in _BY_OFFICER:
        actor = list(OFFICERS)[index // 7 % len(OFFICERS)]
    else:
        actor = "system" if action in _SYSTEM else f"student:{row.student.id}"
    kind = {"student": "student", "device": "device", "course": "course", "user": "user"}.get(
        action.partition(".")[0], "workspace"
    )
    leaf = Leaf(
        entry_id=UUID(int=index),
        time=samples.NOW
        - timedelta(minutes=3) * (size - index - 1)
        - timedelta(seconds=index % 60),
        actor=actor,
        device=UUID(int=70) if action in _BY_OFFICER else None,
        action=action,
        subject=f"enrollment:{row.enrollment}" if about_enrollment else f"{kind}:{row.student.id}",
        before=2 if about_enrollment else None,
        after=3 if about_enrollment else None,
        facts=_facts(action, number),
        signed=Signed(b'{"verdict":"approve"}', bytes(64)) if action in _BY_OFFICER else None,
    )
    abouts = {"course": row.course_title, "workspace": ""}
    return AuditEntry(
        index=index,
        leaf=encode(leaf).decode(),
        actor_name=OFFICERS.get(actor) or OTHERS.get(actor) or row.student.name,
        about=abouts.get(kind, row.student.name) if not about_enrollment else row.student.name,
        reference=row.reference if about_enrollment else None,
    )


HOLDS = EntryChecks(
    signature=Check(Standing.HOLDS, "Signed by the device 3f9a 11c2 0b7d 9e54."),
    inclusion=Check(Standing.HOLDS, "Proved to be entry 41 of the ledger verified to 67."),
)


@dataclass
class Trail:
    """An `AuditPort` over `size` entries. `asked` notes each page as `before`; `problem` fails."""

    size: int = 0
    asked: list[int | None] = field(default_factory=list)
    outlines: list[AuditQuery] = field(default_factory=list)
    checked: list[int] = field(default_factory=list)
    checks: EntryChecks = HOLDS
    problem: ClientError | None = None

    async def page(self, query: AuditQuery, *, before: int | None = None) -> AuditPage:
        await self._answer()
        self.asked.append(before)
        indexes = self._matching(query, before)
        entries = [entry(index, self.size) for index in islice(indexes, AUDIT_PAGE_ROWS)]
        return AuditPage(size=self.size, entries=tuple(entries))

    async def outline(self, query: AuditQuery, *, before: int | None = None) -> AuditOutline:
        await self._answer()
        self.outlines.append(query)
        if query.is_empty:
            return _outline(self.size, self.size, (), more=False)
        found = list(islice(self._matching(query, before), OUTLINE_ROWS + 1))
        return _outline(
            self.size, min(len(found), OUTLINE_ROWS), found[:OUTLINE_ROWS],
            more=len(found) > OUTLINE_ROWS,
        )  # fmt: skip

    async def actors(self) -> AuditActors:
        await self._answer()
        named = {**OFFICERS, **OTHERS}
        return AuditActors(actors=tuple(AuditActor(actor=a, name=n) for a, n in named.items()))

    async def check(self, entry: AuditEntry) -> EntryChecks:
        await asyncio.sleep(0)
        self.checked.append(entry.index)
        return self.checks

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.problem is not None:
            raise self.problem

    def _matching(self, query: AuditQuery, before: int | None) -> Iterator[int]:
        """Newest first. What is filtered by here is what the tests need, no more."""
        end = self.size if before is None else min(before, self.size)
        for index in range(end - 1, -1, -1):
            if query.action and _ACTIONS[index % len(_ACTIONS)] != query.action:
                continue
            if query.about or query.actor:
                found = entry(index, self.size)
                if query.about and found.reference != normalise(query.about):
                    continue
                if query.actor and OFFICERS.get(query.actor) != found.actor_name:
                    continue
            yield index


def _outline(size: int, total: int, found: Sequence[int], *, more: bool) -> AuditOutline:
    return AuditOutline(
        size=size,
        total=total,
        starts=tuple(found[::AUDIT_PAGE_ROWS]),
        next_before=found[-1] if more else None,
        subject=None,
    )


def as_port(trail: Trail) -> AuditPort:
    """Said to the type checker."""
    return trail
