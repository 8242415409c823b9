"""What must hold after a restart and a calm: the journal against the database and the console."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from tests.crash.journal import ACCEPTED, CONFLICT, REFUSED, WITHDRAWN, Journal, Told
from tests.crash.record import Record


class Kind(StrEnum):
    LOST = "lost"  # somebody was told of it, and it is not there
    DOUBLED = "doubled"
    SILENT = "silent"  # it ended without a word, or the word was not true
    LEDGER = "ledger"
    LIST = "list"
    ACCESS = "access"
    ODD = "odd"


@dataclass(frozen=True, slots=True)
class Problem:
    kind: Kind
    what: str


@dataclass(frozen=True)
class Found:
    """After the calm. `held` is everything in the console's queue, `shown` its pending list,
    `pending` the backend's: (enrollment, version)."""

    record: Record
    held: Mapping[UUID, Told]
    shown: set[tuple[str, int]]
    pending: set[tuple[str, int]]


def problems(journal: Journal, found: Found) -> Iterator[Problem]:
    """Everything that does not hold."""
    yield from (Problem(Kind.ODD, what) for what in journal.odd)
    yield from _once(found.record)
    yield from _submissions(journal, found.record)
    yield from _decisions(journal, found)
    yield from _lists(found)


def _once(record: Record) -> Iterator[Problem]:
    if not record.dense:
        yield Problem(Kind.LEDGER, "the indexes of the entries have a gap")
    for what, entries in (
        ("decision", record.applied),
        ("submission", record.submitted),
        ("enrollment", record.decided),
        ("withdrawal of", record.withdrawn),
    ):
        for id_, indexes in entries.items():
            if len(indexes) > 1:
                yield Problem(Kind.DOUBLED, f"{what} {id_} was carried out by {indexes}")
    for (device, n), ids in record.numbers.items():
        if len(ids) > 1:
            yield Problem(Kind.DOUBLED, f"number {n} of {device} carried out {len(ids)} decisions")
    for id_ in record.applied.keys() & record.withdrawn.keys():
        yield Problem(Kind.DOUBLED, f"decision {id_} was withdrawn and carried out")


def _submissions(journal: Journal, record: Record) -> Iterator[Problem]:
    for enrollment in journal.submitted - record.submitted.keys():
        yield Problem(Kind.LOST, f"the payment of {enrollment} was confirmed to the student")
    for enrollment in record.submitted.keys() - journal.submitted:
        yield Problem(Kind.SILENT, f"the student of {enrollment} never had an answer")


def _decisions(journal: Journal, found: Found) -> Iterator[Problem]:
    for told in journal.decided.values():
        held = found.held.get(told.id)
        if held is None:
            yield Problem(Kind.LOST, f"{told.kind} {told.id} (n={told.n}) is not in the queue")
        elif told.state in {ACCEPTED, CONFLICT, REFUSED} and told.state != held.state:
            yield Problem(Kind.SILENT, f"{told.kind} {told.id} was {told.state}, is {held.state}")
    for held in found.held.values():
        yield from _ending(held, found.record)
    for id_ in found.record.applied.keys() - found.held.keys():
        yield Problem(Kind.LOST, f"decision {id_} is in the ledger, its console knows nothing")


def _ending(held: Told, record: Record) -> Iterator[Problem]:
    """Whether what the console shows of it is what the ledger says."""
    name = f"{held.kind} {held.id} (n={held.n})"
    if not held.settled:
        yield Problem(Kind.SILENT, f"{name} has no end: {held.state}")
        return
    if held.kind != "decision":
        return
    applied, withdrawn = record.applied.get(held.id, []), record.withdrawn.get(held.id, [])
    if held.state == ACCEPTED and applied[:1] != [held.index]:
        yield Problem(Kind.LOST, f"{name} was accepted as {held.index}, the ledger has {applied}")
    if held.state != ACCEPTED and applied:
        yield Problem(Kind.SILENT, f"{name} is {held.state} here, but was carried out: {applied}")
    if held.state == WITHDRAWN and not withdrawn:
        yield Problem(Kind.SILENT, f"{name} was withdrawn, and the ledger does not say so")


def _lists(found: Found) -> Iterator[Problem]:
    if found.shown != found.pending:
        differ = len(found.shown ^ found.pending)
        yield Problem(Kind.LIST, f"{differ} rows differ between the console and the backend")
    waiting = found.record.submitted.keys() - found.record.decided.keys()
    if {UUID(enrollment) for enrollment, _ in found.pending} != waiting:
        yield Problem(Kind.LIST, "the backend's pending list is not what its ledger says")
    if found.record.granted != found.record.approved:
        differ = len(found.record.granted ^ found.record.approved)
        yield Problem(Kind.ACCESS, f"access and approval differ for {differ} enrollments")


def count(some: list[Problem]) -> Counter[Kind]:
    return Counter(problem.kind for problem in some)
