"""What can happen in a storm: people at work, and everything that goes wrong around them.

Each kind is a small function `(world, chance) -> what to tell, or None where it does not apply`.
A seed picks some kinds and weighs them, so that each world is bad in its own way.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from core.backend.services.administration_commands import (
    EndSessionsCommand,
    SetDisabledCommand,
    SetRolesCommand,
)
from core.backend.services.commands import RevokeDeviceCommand
from core.client.outbox import OutboxItem, OutboxState
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import EnrollmentStatus
from core.domain.roles import SYSTEM, Role
from core.protocol.messages import EnrollmentRow
from tests.simulator.chance import Chance
from tests.simulator.console import Console
from tests.simulator.network import Link, Weather
from tests.simulator.process import Death
from tests.simulator.world import World

Act = Callable[[World, Chance], str | None]
_TAKEN_BACK = frozenset({OutboxState.QUEUED, OutboxState.NEEDS_PERSON})
_SIDE_FILES = ("", "-wal", "-shm")


# --- people ------------------------------------------------------------------------------------


def student_acts(world: World, _: Chance) -> str | None:
    return world.students.act()


def officer_decides(world: World, chance: Chance) -> str | None:
    console = _running(world, chance)
    if console is None:
        return None
    row = _row(console, chance)
    if row is None:
        return None
    verdict = _verdict(row, chance)
    reason = None if verdict is Verdict.APPROVE else chance.choice(list(ReasonCode))
    note = chance.choice([None, None, "The bank shows nothing."])
    console.process.spawn(console.decide(row, verdict, reason, note), "officer")
    return None  # the console tells it itself


def _row(console: Console, chance: Chance) -> EnrollmentRow | None:
    """Mostly one that waits, sometimes one that is decided already."""
    rows = list(console.desk.rows.values())
    waiting = [row for row in rows if row.waiting]
    choice = waiting if waiting and chance.happens(0.85) else rows
    return chance.choice(choice) if choice else None


def _verdict(row: EnrollmentRow, chance: Chance) -> Verdict:
    fitting = {
        EnrollmentStatus.PENDING: [Verdict.APPROVE, Verdict.APPROVE, Verdict.REJECT],
        EnrollmentStatus.APPROVED: [Verdict.REVERSE_APPROVAL],
        EnrollmentStatus.REJECTED: [Verdict.REVERSE_REJECTION],
        EnrollmentStatus.REVOKED: [Verdict.REINSTATE],
    }.get(row.status)
    return chance.choice(fitting if fitting and chance.happens(0.95) else list(Verdict))


def two_officers_decide(world: World, chance: Chance) -> str | None:
    """Both look at the same row and decide in the same moment."""
    consoles = [console for console in world.consoles if console is not None]
    if len(consoles) < 2:
        return None
    for console in chance.sample(consoles, 2):
        rows = [row for row in console.desk.rows.values() if row.waiting]
        if rows:
            verdict = chance.choice([Verdict.APPROVE, Verdict.REJECT])
            reason = None if verdict is Verdict.APPROVE else ReasonCode.OTHER
            console.process.spawn(console.decide(rows[0], verdict, reason, None), "officer")
    return "two officers decide about one enrollment"


def officer_withdraws(world: World, chance: Chance) -> str | None:
    """Takes back something that waits, if the list shows such a thing."""
    console = _running(world, chance)
    if console is None:
        return None

    async def withdraw() -> None:
        items: Sequence[OutboxItem] = await console.open_items()
        waiting = [item for item in items if item.state in _TAKEN_BACK]
        if waiting:
            await world.build.discard(console, chance.choice(waiting))

    console.process.spawn(withdraw(), "officer")
    return None


def officer_hesitates(world: World, chance: Chance) -> str | None:
    """Decides, and takes it back a moment later: before it is sent, while it is, or too late."""
    console = _running(world, chance)
    row = None if console is None else _row(console, chance)
    if console is None or row is None:
        return None
    moment = chance.choice([0.0, 0.01, 0.05, 2.0])

    async def hesitate() -> None:
        await console.decide(row, Verdict.REJECT, ReasonCode.OTHER, None)
        await asyncio.sleep(moment)
        for item in await console.open_items():
            if item.enrollment == row.enrollment and item.state in _TAKEN_BACK:
                await world.build.discard(console, item)

    console.process.spawn(hesitate(), "officer")
    return None


def officer_dismisses(world: World, chance: Chance) -> str | None:
    console = _running(world, chance)
    if console is None:
        return None

    async def dismiss() -> None:
        items: Sequence[OutboxItem] = await console.open_items()
        if items:
            await console.dismiss(chance.choice(items))

    console.process.spawn(dismiss(), "officer")
    return None


def officer_retries(world: World, chance: Chance) -> str | None:
    console = _running(world, chance)
    if console is None:
        return None
    console.process.spawn(console.retry(), "officer")
    return None


# --- the network -------------------------------------------------------------------------------


def weather_turns(world: World, chance: Chance) -> str | None:
    link, name = _link(world, chance)
    link.weather = Weather(
        lost=chance.choice([0.0, 0.1, 0.3]),
        doubled=chance.choice([0.0, 0.5]),
        late=chance.choice([0.0, 0.1, 0.3]),
        delay=chance.choice([0.02, 0.3, 3.0]),
    )
    return f"{name}: {link.weather}"


def network_is_cut(world: World, chance: Chance) -> str | None:
    link, name = _link(world, chance)
    link.cut()
    return f"{name} is cut"


def network_heals(world: World, chance: Chance) -> str | None:
    link, name = _link(world, chance)
    link.heal()
    return f"{name} heals"


def other_node(world: World, chance: Chance) -> str | None:
    link, name = _link(world, chance)
    link.where = (link.where + 1) % len(world.nodes)
    return f"{name} leads to node {link.where}"


def _link(world: World, chance: Chance) -> tuple[Link, str]:
    number = chance.randrange(len(world.desks) + 1)
    if number == len(world.desks):
        return world.students_link, "the students' network"
    return world.desks[number].link, f"network {number}"


# --- machines ----------------------------------------------------------------------------------


def console_dies(world: World, chance: Chance) -> str | None:
    console = _running(world, chance)
    if console is None:
        return None
    console.process.die_soon(chance.randrange(8), chance.choice([Death.BEFORE, Death.AFTER]))
    return f"console {console.desk.number} will die"


def node_dies(world: World, chance: Chance) -> str | None:
    node = chance.choice(world.nodes)
    if node is None:
        return None
    death = chance.choice(list(Death))
    if death in {Death.BEFORE_COMMIT, Death.AFTER_COMMIT}:
        node.process.die_in_write(death)
    else:
        node.process.die_soon(chance.randrange(20), death)
    return f"{node.process.name} will die: {death.name}"


def database_fails(world: World, chance: Chance) -> str | None:
    world.trouble.rolled_back = chance.choice([0.0, 0.3])
    world.trouble.answer_lost = chance.choice([0.0, 0.2])
    return "the database makes trouble, or stops making it"


def console_clock_jumps(world: World, chance: Chance) -> str | None:
    number = chance.randrange(len(world.desks))
    world.desk_skews[number].by = timedelta(days=chance.randrange(-3000, 3000))
    return f"console {number}'s clock is off by {world.desk_skews[number].by}"


def node_clock_jumps(world: World, chance: Chance) -> str | None:
    number = chance.randrange(len(world.nodes))
    days = chance.choice([0, 0, 1, -1, 40, 800])
    world.node_skews[number].by = timedelta(days=days, minutes=chance.randrange(60))
    return f"node {number}'s clock is off by {world.node_skews[number].by}"


# --- permissions -------------------------------------------------------------------------------


def device_is_revoked(world: World, chance: Chance) -> str | None:
    person = chance.choice(world.staff)
    world.command(
        RevokeDeviceCommand(device=person.key.id, actor=SYSTEM, key=world.new_key())
    )  # not undone: the officer would need a new key
    return f"the device of {person.name} is revoked"


def officer_is_disabled(world: World, chance: Chance) -> str | None:
    number, disabled = chance.randrange(len(world.staff)), chance.happens(0.6)
    disable(world, number, disabled=disabled)
    return f"{world.staff[number].name} is {'disabled' if disabled else 'enabled'}"


def disable(world: World, number: int, *, disabled: bool) -> None:
    user = world.staff[number].id
    change = world.book.disabled.add if disabled else world.book.disabled.discard
    change(number)
    world.command(
        SetDisabledCommand(
            user=user, disabled=disabled, actor=SYSTEM, session=None, key=world.new_key()
        )
    )


def role_is_changed(world: World, chance: Chance) -> str | None:
    person = chance.choice(world.staff)
    role = chance.choice([person.role, person.role, Role.ADMINISTRATOR])
    world.command(
        SetRolesCommand(
            user=person.id, roles=frozenset({role}), actor=SYSTEM, session=None,
            key=world.new_key(),
        )
    )  # fmt: skip
    return f"{person.name} is {role} now"


def sessions_are_ended(world: World, chance: Chance) -> str | None:
    person = chance.choice(world.staff)
    world.command(
        EndSessionsCommand(
            user=person.id, family=None, keep=None, actor=SYSTEM, session=None,
            key=world.new_key(),
        )
    )  # fmt: skip
    return f"the sessions of {person.name} are ended"


# --- queue files -------------------------------------------------------------------------------


def queue_is_rolled_back(world: World, chance: Chance) -> str | None:
    """Somebody keeps a copy of a console's folder, and puts it back later."""
    number = chance.randrange(len(world.desks))
    queue = world.desks[number].queue
    _stop(world, number)
    if not _copy_of(queue).exists():
        _copy_database(queue, _copy_of(queue))
        return f"the queue of console {number} is copied"
    _copy_database(_copy_of(queue), queue)
    world.book.rolled_back(number, _ids(queue))
    return f"the queue of console {number} is an old copy"


def queue_is_edited(world: World, chance: Chance) -> str | None:
    """Some bytes of the file are turned, while the console does not run."""
    number = chance.randrange(len(world.desks))
    _stop(world, number)
    queue = world.desks[number].queue
    if not queue.exists():
        return None
    data = bytearray(queue.read_bytes())
    if not data:
        return None
    for _ in range(chance.choice([1, 1, 20])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    queue.write_bytes(data)
    world.book.damaged.add(number)
    return f"the queue of console {number} is edited"


def key_is_lost(world: World, chance: Chance) -> str | None:
    """The keyring was set up anew: the queue is sealed with a key that nobody has."""
    number = chance.randrange(len(world.desks))
    _stop(world, number)
    world.keys[number] = chance.randbytes(32)
    world.book.damaged.add(number)
    return f"the queue's key of console {number} is lost"


def _stop(world: World, number: int) -> None:
    console = world.consoles[number]
    if console is not None:
        console.process.die()


def _copy_of(queue: Path) -> Path:
    return queue.with_suffix(".copy")


def _copy_database(source: Path, target: Path) -> None:
    for end in _SIDE_FILES:
        target.with_name(target.name + end).unlink(missing_ok=True)
    for end in _SIDE_FILES:
        beside = source.with_name(source.name + end)
        if beside.exists():
            shutil.copyfile(beside, target.with_name(target.name + end))


def _ids(queue: Path) -> set[UUID]:
    """The decisions in a queue file; none where it was damaged and cannot be read."""
    with closing(sqlite3.connect(queue)) as database:
        try:
            return {UUID(row[0]) for row in database.execute("SELECT id FROM items")}
        except (sqlite3.Error, ValueError):
            return set()


def _running(world: World, chance: Chance) -> Console | None:
    running = [console for console in world.consoles if console is not None]
    return chance.choice(running) if running else None


# Kind -> how often, where a seed has it at all. Those of the first part every seed has.
PEOPLE: dict[Act, float] = {student_acts: 6, officer_decides: 16}
STORM: dict[Act, float] = {
    two_officers_decide: 3,
    officer_withdraws: 5,
    officer_hesitates: 4,
    officer_retries: 1,
    officer_dismisses: 1,
    weather_turns: 6,
    network_is_cut: 4,
    network_heals: 3,
    other_node: 1,
    console_dies: 2,
    node_dies: 2,
    database_fails: 1,
    console_clock_jumps: 1,
    node_clock_jumps: 0.5,
    device_is_revoked: 0.5,
    officer_is_disabled: 1,
    role_is_changed: 0.7,
    sessions_are_ended: 1,
    queue_is_rolled_back: 2,
    queue_is_edited: 0.7,
    key_is_lost: 0.3,
}
