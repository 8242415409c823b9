"""What must hold, whatever happened: each invariant by its name, the first that breaks is told."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, select

from core.backend.ledger_check import CannotReadError, CheckpointKey, verify_ledger
from core.backend.services.errors import NotAllowedError
from core.backend.services.identities import StudentIdentity
from core.backend.services.rows import Rows
from core.backend.storage import queries
from core.backend.storage.engine import read_transaction
from core.backend.storage.tables import enrollments
from core.client.errors import OutboxError
from core.client.outbox import OutboxItem, OutboxState
from core.ledger.checkpoint import open_checkpoint
from core.ledger.errors import LedgerError
from core.ledger.keys import SigningKey
from core.ledger.merkle import leaf_hash
from core.ledger.tree import append, root_from_peaks
from core.protocol.messages import EnrollmentRow
from tests.simulator.book import Made
from tests.simulator.console import Console
from tests.simulator.template import (
    CHECKPOINT_NAME,
    START,
    config_of,
    database_url,
    vault_of,
)
from tests.simulator.truth import Truth, read_truth
from tests.simulator.world import World

APPLIED_ONCE = "no decision is applied twice"
NOT_LOST = "no decision is lost"
NOT_SILENT = "no outcome is silent or untrue"
LEDGER_WHOLE = "the ledger is dense and consistent"
CONSOLES_EQUAL = "every console ends equal to the backend"
ACCESS = "access is granted exactly when approved"
NO_ERROR = "nothing ends with an unexpected error"

_SETTLED = frozenset(
    {OutboxState.ACCEPTED, OutboxState.CONFLICT, OutboxState.REFUSED, OutboxState.WITHDRAWN}
)


@dataclass(frozen=True, slots=True)
class Broken:
    invariant: str
    message: str


class BrokenError(Exception):
    """An invariant does not hold; the message says where."""


# --- at any time -------------------------------------------------------------------------------


def applied_once(_: World, truth: Truth) -> None:
    for id_, entries in truth.applied.items():
        if len(entries) > 1:
            raise BrokenError(f"decision {id_} was applied by the entries {entries}")
    for (device, n), ids in truth.numbers.items():
        if len(ids) > 1:
            raise BrokenError(f"number {n} of device {device} was applied {len(ids)} times")
    for id_ in truth.withdrawn.keys() & truth.applied.keys():
        raise BrokenError(f"decision {id_} was withdrawn and applied")


def ledger_dense(_: World, truth: Truth) -> None:
    if truth.indexes != list(range(truth.size)):
        raise BrokenError(f"{len(truth.indexes)} entries stand for a ledger of {truth.size}")


async def ledger_whole(world: World, truth: Truth) -> None:
    """Every signature, version, hash and stored node, and every checkpoint that was ever told."""
    public = SigningKey(config_of(world.house.folder).checkpoint_seed).public
    roots = frozenset(world.house.workspace.root_fingerprints)
    try:
        verify_ledger(
            database_url(world.folder), key=CheckpointKey(CHECKPOINT_NAME, public),
            trusted_roots=roots,
        )  # fmt: skip
        _checkpoints_hold(world, truth, public)
    except (LedgerError, CannotReadError) as error:
        raise BrokenError(f"the ledger does not verify: {error}") from error


def _checkpoints_hold(world: World, truth: Truth, public: bytes) -> None:
    """Whatever any console was ever told is a part of what there is now."""
    roots: dict[int, bytes] = {}
    peaks: tuple[bytes, ...] = ()
    for index, leaf in enumerate(truth.leaves):
        peaks = append(index, peaks, [leaf_hash(leaf)]).peaks
        roots[index + 1] = root_from_peaks(peaks)
    for size, note in world.book.checkpoints:
        if open_checkpoint(note, CHECKPOINT_NAME, public).root != roots.get(size):
            raise BrokenError(f"a checkpoint of {size} entries was told of another ledger")


def access_when_approved(_: World, truth: Truth) -> None:
    if truth.granted != truth.approved:
        raise BrokenError(f"access and status differ for {truth.granted ^ truth.approved}")
    if truth.granted != truth.open:
        raise BrokenError(f"access and entries differ for {truth.granted ^ truth.open}")


# --- at the end --------------------------------------------------------------------------------


async def not_lost(world: World, truth: Truth) -> None:
    for made in world.book.made.values():
        console = world.consoles[made.officer]
        if made.id in world.book.destroyed or await _is_set_aside(world, console, made):
            continue
        item = None if console is None else await _item(console, made)
        if item is None:
            raise BrokenError(f"decision n={made.n} of console {made.officer} is gone")
        if (item.payload, item.signature) != (made.payload, made.signature):
            raise BrokenError(f"decision n={made.n} of console {made.officer} was altered")
        if item.state is OutboxState.ACCEPTED:
            _check_kept(made, item, truth)


async def _is_set_aside(world: World, console: Console | None, made: Made) -> bool:
    """Whether its file was damaged, the program could not keep it, and the officer was told so."""
    if made.officer not in world.book.damaged or console is None:
        return False
    if console.unusable:
        return True
    if console.outbox is None or await _item(console, made) is not None:
        return False
    return bool(await console.outbox.notices())


async def _item(console: Console, made: Made) -> OutboxItem | None:
    if console.outbox is None:
        return None
    try:
        return await console.outbox.get(made.id)
    except OutboxError:
        return None


def _check_kept(made: Made, item: OutboxItem, truth: Truth) -> None:
    """What was acknowledged is in the ledger as it was signed."""
    index = None if item.answer is None else item.answer.index
    if index is None or index >= len(truth.leaves):
        raise BrokenError(f"accepted decision n={made.n} has no entry")
    signed = json.loads(truth.leaves[index])["signed"]
    expected = {
        "payload": made.payload.decode(),
        "signature": base64.b64encode(made.signature).decode(),
    }
    if signed != expected:
        raise BrokenError(f"entry {index} is not decision n={made.n} as it was signed")


async def not_silent(world: World, truth: Truth) -> None:
    for made in world.book.made.values():
        console = world.consoles[made.officer]
        item = None if console is None else await _item(console, made)
        if item is None or made.id in world.book.destroyed:
            continue  # told as set aside, or nobody could keep it
        where = f"decision n={made.n} of console {made.officer}"
        applied = made.id in truth.applied
        if item.state is OutboxState.ACCEPTED and not applied:
            raise BrokenError(f"{where} is shown as accepted and was not applied")
        if item.state in _SETTLED - {OutboxState.ACCEPTED} and applied:
            raise BrokenError(f"{where} is shown as {item.state} and was applied")
        if item.state is OutboxState.WITHDRAWN and not await _is_taken_back(console, made, truth):
            raise BrokenError(f"{where} is shown as withdrawn, and nobody was told")
        if item.state not in _SETTLED and not _may_wait(world, made, item, truth):
            raise BrokenError(f"{where} is still {item.state} ({item.reason_code})")


async def _is_taken_back(console: Console | None, made: Made, truth: Truth) -> bool:
    """On the ledger, or at least the withdrawal is there for the officer to see."""
    if made.id in truth.withdrawn or console is None or console.outbox is None:
        return made.id in truth.withdrawn
    officer = console.desk.person.id
    items = [*await console.open_items(), *await console.outbox.history_for(officer, 1000)]
    return any(item.withdraws == made.id for item in items)


def _may_wait(world: World, made: Made, item: OutboxItem, truth: Truth) -> bool:
    """A person was told what to do; or the officer may not sign in, and reads that."""
    if item.state is OutboxState.NEEDS_PERSON and made.id not in truth.applied:
        return bool(item.reason_code and item.reason_message)
    console = world.consoles[made.officer]
    return made.officer in world.book.disabled and console is not None and console.is_paused


async def lessons_open(world: World, truth: Truth) -> None:
    """What a student is shown who asks for the lessons."""
    node = next((node for node in world.nodes if node is not None), None)
    if node is None:
        raise BrokenError("no node runs in the calm")
    for id_, (student, course) in truth.places.items():
        asking = StudentIdentity(student, student, "Student", START)
        try:
            await node.access.lessons(asking, course)
        except NotAllowedError:
            is_open = False
        else:
            is_open = True
        if is_open != (id_ in truth.approved):
            raise BrokenError(f"the lessons of {id_} are {'open' if is_open else 'shut'}")


async def consoles_equal(world: World, truth: Truth) -> None:
    with read_transaction(world.engine) as connection:
        waiting, current = _backend_rows(connection, world.house.folder)
    for number, console in enumerate(world.consoles):
        if console is None or console.unusable or number in world.book.disabled:
            continue
        _check_witness(console, truth.size)
        rows = console.desk.rows
        shown = {id_: row for id_, row in rows.items() if row.waiting}
        if shown != waiting:
            different = [str(i) for i in shown.keys() | waiting if shown.get(i) != waiting.get(i)]
            raise BrokenError(f"console {number} shows other rows waiting: {sorted(different)}")
        stale = sorted(str(id_) for id_, row in rows.items() if row != current[id_])
        if stale:
            raise BrokenError(f"console {number} shows old rows of {stale}")


def _check_witness(console: Console, size: int) -> None:
    number = console.desk.number
    status = None if console.witness is None else console.witness.status
    if status is None or status.alarm is not None:
        told = "nothing verified" if status is None else f"an alarm: {status.alarm}"
        raise BrokenError(f"console {number} has {told}")
    if console.confirmer is None or console.confirmer.open:
        raise BrokenError(f"console {number} has not found its own decisions in the ledger")
    if console.feed.next != size or status.verified_to != size:
        raise BrokenError(
            f"console {number} has {console.feed.next} entries, verified {status.verified_to}, "
            f"of {size}"
        )


def _backend_rows(
    connection: Connection, folder: Path
) -> tuple[dict[UUID, EnrollmentRow], dict[UUID, EnrollmentRow]]:
    """Those that wait, and all, as the backend would show them now."""
    rows = Rows(vault_of(folder))
    bundles = queries.read_pending(connection, None, 1000).bundles
    waiting = {b.enrollment.id: rows.enrollment_row(b) for b in bundles}
    everything = connection.execute(select(enrollments.c.id)).scalars().all()
    found = queries.read_bundles(connection, everything)
    return waiting, {b.enrollment.id: rows.enrollment_row(b) for b in found}


def no_error(world: World, _: Truth) -> None:
    if world.book.errors:
        raise BrokenError(world.book.errors[0])


ALWAYS: dict[str, Callable[[World, Truth], None]] = {
    NO_ERROR: no_error,
    APPLIED_ONCE: applied_once,
    LEDGER_WHOLE: ledger_dense,
    ACCESS: access_when_approved,
}
AT_THE_END: dict[str, Callable[[World, Truth], Awaitable[None]]] = {
    LEDGER_WHOLE: ledger_whole,
    NOT_LOST: not_lost,
    NOT_SILENT: not_silent,
    ACCESS: lessons_open,
    CONSOLES_EQUAL: consoles_equal,
}


def now(world: World) -> Broken | None:
    """The first invariant that does not hold in this moment."""
    return _now(world, _read(world))


def _now(world: World, truth: Truth) -> Broken | None:
    for name, check in ALWAYS.items():
        try:
            check(world, truth)
        except BrokenError as error:
            return Broken(name, str(error))
    return None


async def at_the_end(world: World) -> Broken | None:
    """The first that does not hold once everything has healed."""
    truth = _read(world)
    broken = _now(world, truth)
    if broken is not None:
        return broken
    for name, check in AT_THE_END.items():
        try:
            await check(world, truth)
        except BrokenError as error:
            return Broken(name, str(error))
    return None


def _read(world: World) -> Truth:
    with read_transaction(world.engine) as connection:
        return read_truth(connection)
