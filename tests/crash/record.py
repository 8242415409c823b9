"""What the database says happened, read by a plain reader of its own: sqlite3 and JSON."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

_REFUSALS = frozenset({"decision.refused", "withdrawal.refused"})
_SUBMITTED = "claim.submitted"
_APPROVED = "enrollment.approved"
_DECIDED = frozenset({_APPROVED, "enrollment.rejected"})


@dataclass
class Record:
    """Indexes of the entries that did it: `applied` by decision, `withdrawn` by the decision that
    was taken back, `submitted` by enrollment. `numbers`: (device, n) -> decisions applied under it.
    """

    size: int = 0
    dense: bool = True
    applied: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    withdrawn: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    submitted: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[tuple[str, int], list[UUID]] = field(default_factory=lambda: defaultdict(list))
    decided: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(list))
    approved: set[UUID] = field(default_factory=set)
    granted: set[UUID] = field(default_factory=set)


def read_record(database: Path) -> Record:
    """While a backend may be writing."""
    record = Record()
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")
        rows = connection.execute('SELECT "index", leaf FROM ledger_entries ORDER BY "index"')
        for index, leaf in rows:
            record.dense = record.dense and index == record.size
            record.size += 1
            _read(record, index, json.loads(leaf))
        open_ones = "SELECT enrollment FROM access_grants WHERE withdrawn_at IS NULL"
        record.granted = {UUID(found) for (found,) in connection.execute(open_ones)}
    return record


def _read(record: Record, index: int, leaf: dict[str, Any]) -> None:
    action = leaf["action"]
    kind, _, subject = leaf["subject"].partition(":")
    if kind == "enrollment":
        enrollment = UUID(subject)
        if action == _SUBMITTED:
            record.submitted[enrollment].append(index)
        if action in _DECIDED:
            record.decided[enrollment].append(index)
        if action == _APPROVED:
            record.approved.add(enrollment)
    if leaf["signed"] is None or action in _REFUSALS:
        return
    payload = json.loads(leaf["signed"]["payload"])
    if payload["kind"] == "withdrawal":
        record.withdrawn[UUID(payload["decision"])].append(index)
    elif payload["kind"] == "decision":
        record.applied[UUID(payload["id"])].append(index)
        record.numbers[payload["device"], payload["n"]].append(UUID(payload["id"]))
