"""What the ledger says happened, read by a simple reader of its own, not by the product's."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from core.backend.storage.tables import access_grants, enrollments, ledger_entries, ledger_head

_REFUSED = "decision.refused"
_WITHDRAWN = "decision.withdrawn"
_OPENS = frozenset({"enrollment.approved", "enrollment.reinstated"})
_HAVE_ACCESS = frozenset({"approved", "completed"})
_CLOSES = frozenset({"enrollment.approval_reversed", "enrollment.access_ended"})


@dataclass
class Truth:
    """`applied` and `withdrawn` are by the decision's id: the indexes of the entries that did it;
    `numbers`: (device, n) -> ids of the decisions that were applied under it. `open` are the
    enrollments that the entries give access to, `granted` those that the tables give it to;
    `places` are student and course of each."""

    size: int
    indexes: list[int] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    applied: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    withdrawn: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
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
        _read(truth, index, json.loads(leaf))
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


def _read(truth: Truth, index: int, leaf: dict[str, Any]) -> None:
    action, subject = leaf["action"], leaf["subject"]
    if action in _OPENS:
        truth.open.add(UUID(subject.removeprefix("enrollment:")))
    elif action in _CLOSES:
        truth.open.discard(UUID(subject.removeprefix("enrollment:")))
    if leaf["signed"] is None:
        return
    payload = json.loads(leaf["signed"]["payload"])
    if payload["kind"] == "withdrawal" and action == _WITHDRAWN:
        truth.withdrawn[UUID(payload["decision"])].append(index)
    elif payload["kind"] == "decision":
        made = truth.refused if action == _REFUSED else truth.applied
        made[UUID(payload["id"])].append(index)
        if action != _REFUSED:
            truth.numbers[payload["device"], payload["n"]].append(UUID(payload["id"]))
