"""What must hold, whatever happened: each invariant by its name, made of rules, each a function
that gives None, or what is wrong. The first that does not hold is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import Connection, select

from core.backend.ledger_check import CannotReadError, CheckpointKey, verify_ledger
from core.backend.services.errors import NotAllowedError
from core.backend.services.identities import StudentIdentity
from core.backend.services.rows import Rows
from core.backend.storage import queries
from core.backend.storage.engine import read_transaction
from core.backend.storage.tables import enrollments
from core.ledger.checkpoint import open_checkpoint
from core.ledger.errors import LedgerError
from core.ledger.keys import SigningKey
from core.ledger.merkle import leaf_hash
from core.ledger.tree import append, root_from_peaks
from core.protocol.messages import EnrollmentRow
from tests.simulator import causes, outcomes
from tests.simulator.console import Console
from tests.simulator.outcomes import WITHDRAWAL_LOST, Outcome, read_outcomes
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


@dataclass(frozen=True, slots=True)
class Broken:
    """`rule` is the name of the function that found it."""

    invariant: str
    rule: str
    message: str


# --- at any time -------------------------------------------------------------------------------


def no_task_fails(world: World, _: Truth) -> str | None:
    return world.book.errors[0] if world.book.errors else None


def applied_once(_: World, truth: Truth) -> str | None:
    for id_, entries in truth.applied.items():
        if len(entries) > 1:
            return f"decision {id_} was applied by the entries {entries}"
    return None


def number_used_once(_: World, truth: Truth) -> str | None:
    for (device, n), ids in truth.numbers.items():
        if len(ids) > 1:
            return f"number {n} of device {device} was applied {len(ids)} times"
    return None


def not_withdrawn_and_applied(_: World, truth: Truth) -> str | None:
    for id_ in truth.withdrawn:
        if truth.applied.get(id_):
            return f"decision {id_} was withdrawn and applied"
    return None


def answered_once(_: World, truth: Truth) -> str | None:
    for id_, entries in truth.refused.items():
        if len(entries) > 1 or truth.applied.get(id_):
            return f"decision {id_} was refused by {entries}, applied by {truth.applied.get(id_)}"
    return None


def ledger_dense(_: World, truth: Truth) -> str | None:
    if truth.indexes == list(range(truth.size)):
        return None
    return f"{len(truth.indexes)} entries stand for a ledger of {truth.size}"


def access_as_status(_: World, truth: Truth) -> str | None:
    if truth.granted == truth.approved:
        return None
    return f"access and status differ for {truth.granted ^ truth.approved}"


def access_as_entries(_: World, truth: Truth) -> str | None:
    if truth.granted == truth.open:
        return None
    return f"access and entries differ for {truth.granted ^ truth.open}"


def stuck_for_a_cause(world: World, _: Truth) -> str | None:
    """Nobody is asked what to do but where a file was damaged."""
    for (officer, id_), code in world.book.stuck.items():
        if code != WITHDRAWAL_LOST or officer not in world.book.damaged:
            return f"decision {id_} of console {officer} needs a person for no cause: {code}"
    return None


def queue_opens(world: World, _: Truth) -> str | None:
    for number, console in enumerate(world.consoles):
        if console is not None and console.unusable and number not in world.book.damaged:
            return f"console {number} cannot be used: {console.unusable}"
    return None


# --- at the end --------------------------------------------------------------------------------


async def ledger_verifies(world: World, _: Truth) -> str | None:
    """Every signature, version, hash and stored node."""
    public = SigningKey(config_of(world.house.folder).checkpoint_seed).public
    roots = frozenset(world.house.workspace.root_fingerprints)
    try:
        verify_ledger(
            database_url(world.folder), key=CheckpointKey(CHECKPOINT_NAME, public),
            trusted_roots=roots,
        )  # fmt: skip
    except (LedgerError, CannotReadError) as error:
        return f"the ledger does not verify: {error}"
    return None


async def checkpoints_hold(world: World, truth: Truth) -> str | None:
    """Whatever any console was ever told is a part of what there is now."""
    public = SigningKey(config_of(world.house.folder).checkpoint_seed).public
    roots: dict[int, bytes] = {}
    peaks: tuple[bytes, ...] = ()
    for index, leaf in enumerate(truth.leaves):
        peaks = append(index, peaks, [leaf_hash(leaf)]).peaks
        roots[index + 1] = root_from_peaks(peaks)
    for size, note in world.book.checkpoints:
        if open_checkpoint(note, CHECKPOINT_NAME, public).root != roots.get(size):
            return f"a checkpoint of {size} entries was told of another ledger"
    return None


async def refused_for_a_cause(_: World, truth: Truth) -> str | None:
    return causes.without_cause(truth)


async def allowed_to_apply(_: World, truth: Truth) -> str | None:
    return causes.not_permitted(truth)


async def lessons_as_status(world: World, truth: Truth) -> str | None:
    """What a student is shown who asks for the lessons."""
    node = next(node for node in world.nodes if node is not None)
    for id_, (student, course) in truth.places.items():
        asking = StudentIdentity(student, student, "Student", START)
        try:
            await node.access.lessons(asking, course)
        except NotAllowedError:
            is_open = False
        else:
            is_open = True
        if is_open != (id_ in truth.approved):
            return f"the lessons of {id_} are {'open' if is_open else 'shut'}"
    return None


def _working(world: World) -> dict[int, Console]:
    """The consoles that can know everything: usable, of those who may sign in."""
    shut_out = world.book.disabled
    return {
        number: console
        for number, console in enumerate(world.consoles)
        if console is not None and not console.unusable and number not in shut_out
    }


async def consoles_have_no_alarm(world: World, _: Truth) -> str | None:
    for number, console in _working(world).items():
        if console.witness is not None and console.witness.status.alarm is not None:
            return f"console {number} has an alarm: {console.witness.status.alarm}"
    return None


async def consoles_verify_all(world: World, truth: Truth) -> str | None:
    for number, console in _working(world).items():
        verified = None if console.witness is None else console.witness.status.verified_to
        if (console.feed.next, verified) != (truth.size, truth.size):
            return (
                f"console {number} has {console.feed.next} entries, verified {verified}, "
                f"of {truth.size}"
            )
    return None


async def consoles_find_their_own(world: World, _: Truth) -> str | None:
    for number, console in _working(world).items():
        if console.confirmer is None or console.confirmer.open:
            return f"console {number} has not found its own decisions in the ledger"
    return None


async def consoles_show_the_rows(world: World, _: Truth) -> str | None:
    with read_transaction(world.engine) as connection:
        waiting, current = _backend_rows(connection, world.house.folder)
    for number, console in _working(world).items():
        rows = console.desk.rows
        shown = {id_: row for id_, row in rows.items() if row.waiting}
        wrong = {id_ for id_ in shown.keys() | waiting if shown.get(id_) != waiting.get(id_)}
        wrong |= {id_ for id_, row in rows.items() if row != current[id_]}
        if wrong:
            return f"console {number} shows other rows for {sorted(map(str, wrong))}"
    return None


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


# --- all of them -------------------------------------------------------------------------------

Always = Callable[[World, Truth], str | None]
AtTheEnd = Callable[[World, Truth], Awaitable[str | None]]
OfEach = Callable[[Outcome, Truth], str | None]

ALWAYS: Mapping[Always, str] = MappingProxyType(
    {
        no_task_fails: NO_ERROR,
        applied_once: APPLIED_ONCE,
        number_used_once: APPLIED_ONCE,
        not_withdrawn_and_applied: APPLIED_ONCE,
        answered_once: APPLIED_ONCE,
        ledger_dense: LEDGER_WHOLE,
        access_as_status: ACCESS,
        access_as_entries: ACCESS,
        stuck_for_a_cause: NOT_SILENT,
        queue_opens: NOT_LOST,
    }
)
OF_EACH: Mapping[OfEach, str] = MappingProxyType(
    {
        outcomes.is_kept: NOT_LOST,
        outcomes.is_unaltered: NOT_LOST,
        outcomes.is_entered_as_signed: NOT_LOST,
        outcomes.is_not_denied: NOT_SILENT,
        outcomes.is_withdrawn_on_the_ledger: NOT_SILENT,
        outcomes.is_refused_on_the_ledger: NOT_SILENT,
        outcomes.withdrawal_ends_as_on_the_ledger: NOT_SILENT,
        outcomes.has_its_answer: NOT_SILENT,
    }
)
AT_THE_END: Mapping[AtTheEnd, str] = MappingProxyType(
    {
        refused_for_a_cause: NOT_SILENT,
        allowed_to_apply: NOT_SILENT,
        ledger_verifies: LEDGER_WHOLE,
        checkpoints_hold: LEDGER_WHOLE,
        lessons_as_status: ACCESS,
        consoles_have_no_alarm: CONSOLES_EQUAL,
        consoles_verify_all: CONSOLES_EQUAL,
        consoles_find_their_own: CONSOLES_EQUAL,
        consoles_show_the_rows: CONSOLES_EQUAL,
    }
)


def now(world: World) -> Broken | None:
    """The first that does not hold in this moment."""
    return _now(world, _read(world))


def _now(world: World, truth: Truth) -> Broken | None:
    for rule, invariant in ALWAYS.items():
        message = rule(world, truth)
        if message is not None:
            return Broken(invariant, rule.__name__, message)
    return None


async def at_the_end(world: World) -> Broken | None:
    """The first that does not hold once everything has healed."""
    outcomes_of_all = await read_outcomes(world)
    truth = _read(world)
    broken = _now(world, truth)
    if broken is not None:
        return broken
    for of_each, invariant in OF_EACH.items():
        for outcome in outcomes_of_all:
            message = of_each(outcome, truth)
            if message is not None:
                return Broken(invariant, of_each.__name__, message)
    for at_the_end, invariant in AT_THE_END.items():
        message = await at_the_end(world, truth)
        if message is not None:
            return Broken(invariant, at_the_end.__name__, message)
    return None


def _read(world: World) -> Truth:
    with read_transaction(world.engine) as connection:
        return read_truth(connection)
