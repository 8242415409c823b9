"""What the ledger says happened, read by a simple reader of its own, not by the product's."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from core.backend.storage.tables import access_grants, enrollments, ledger_entries, ledger_head

REFUSED = "decision.refused"
WITHDRAWN = "decision.withdrawn"
WITHDRAWAL_REFUSED = "withdrawal.refused"
_OPENS = frozenset({"enrollment.approved", "enrollment.reinstated"})
_HAVE_ACCESS = frozenset({"approved", "completed"})
_CLOSES = frozenset({"enrollment.approval_reversed", "enrollment.access_ended"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf, read. `signed` is what an officer signed, None where nobody did; `raw` the exact
    text of it with its signature, to compare."""

    action: str
    subject: str
    time: datetime
    version: int | None
    facts: dict[str, Any]
    signed: dict[str, Any] | None
    raw: dict[str, str] | None

    @property
    def kind(self) -> str | None:
        """`decision`, `withdrawal`, or another thing that is signed."""
        return None if self.signed is None else self.signed["kind"]


@dataclass
class Truth:
    """`applied` and `refused` are by the decision's id: the indexes of the entries that say so;
    `withdrawn` and `kept` by the id of the decision that was to be withdrawn: what was, and what
    was refused to be. `numbers`: (device, n) -> ids of the decisions that were applied under it.
    `open` are the enrollments that the entries give access to, `granted` those that the tables
    give it to; `places` are student and course of each."""

    size: int
    indexes: list[int] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    applied: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    withdrawn: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    kept: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[tuple[str, int], list[UUID]] = field(default_factory=lambda: defaultdict(list))
    open: set[UUID] = field(default_factory=set)
    granted: set[UUID] = field(default_factory=set)
    approved: set[UUID] = field(default_factory=set)
    places: dict[UUID, tuple[UUID, UUID]] = field(default_factory=dict)


def read_truth(connection: Connection) -> Truth:
    truth = Truth(size=connection.execute(select(ledger_head.c.size)).scalar_one())
    columns = select(ledger_entries.c.index, ledger_entries.c.leaf)
    for index, leaf in connection.execute(columns.order_by(ledger_entries.c.index)):
        truth.indexes.append(index)
        truth.leaves.append(leaf)
        truth.entries.append(_entry(leaf))
        _take(truth, index, truth.entries[-1])
    grants = select(access_grants.c.enrollment).where(access_grants.c.withdrawn_at.is_(None))
    truth.granted = set(connection.execute(grants).scalars())
    e = enrollments.c
    for id_, student, course, status in connection.execute(
        select(e.id, e.student, e.course, e.status)
    ):
        truth.places[id_] = (student, course)
        if status in _HAVE_ACCESS:
            truth.approved.add(id_)
    return truth


# The ledger is read often, and most of it was there before.
@lru_cache(maxsize=4096)
def _entry(leaf: bytes) -> Entry:
    read = json.loads(leaf)
    raw = read["signed"]
    return Entry(
        action=read["action"],
        subject=read["subject"],
        time=datetime.fromisoformat(read["time"]),
        version=read["after"],
        facts=read["facts"],
        signed=None if raw is None else json.loads(raw["payload"]),
        raw=raw,
    )


def _take(truth: Truth, index: int, entry: Entry) -> None:
    if entry.action in _OPENS:
        truth.open.add(UUID(entry.subject.removeprefix("enrollment:")))
    elif entry.action in _CLOSES:
        truth.open.discard(UUID(entry.subject.removeprefix("enrollment:")))
    signed = entry.signed
    if signed is None:
        return
    if entry.kind == "withdrawal":
        became = truth.withdrawn if entry.action == WITHDRAWN else truth.kept
        became[UUID(signed["decision"])].append(index)
    elif entry.kind == "decision":
        made = truth.refused if entry.action == REFUSED else truth.applied
        made[UUID(signed["id"])].append(index)
        if entry.action != REFUSED:
            truth.numbers[signed["device"], signed["n"]].append(UUID(signed["id"]))
