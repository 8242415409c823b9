"""What can happen in a storm: people at work, and everything that goes wrong around them.

Each kind is a small function `(world, chance) -> what to tell, or None where it does not apply`;
the storm waits for those that take their time. A seed picks some kinds and weighs them, so that
each world is bad in its own way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

from core.client.outbox import OutboxItem
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import EnrollmentStatus
from core.protocol.messages import EnrollmentRow
from tests.simulator.chance import Chance
from tests.simulator.console import Console
from tests.simulator.hand import TAKEN_BACK, GaveUpError, until
from tests.simulator.network import Link, Weather
from tests.simulator.permissions import (
    device_is_revoked,
    officer_is_disabled,
    role_is_changed,
    sessions_are_ended,
)
from tests.simulator.process import Death
from tests.simulator.queue_faults import key_is_lost, queue_is_edited, queue_is_rolled_back
from tests.simulator.stories import story_is_told
from tests.simulator.world import World

Act = Callable[[World, Chance], str | Awaitable[str | None] | None]


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


async def two_officers_decide(world: World, chance: Chance) -> str | None:
    """Both look at the same row, once both have it, and decide in the same moment."""
    consoles = [console for console in world.consoles if console is not None]
    if len(consoles) < 2:
        return None
    pair = chance.sample(consoles, 2)
    try:
        await until(lambda: bool(_common(pair)))
    except GaveUpError:
        return "two officers would decide, and do not get one row both"
    enrollment = _common(pair)[0]
    for console in pair:
        verdict = chance.choice([Verdict.APPROVE, Verdict.APPROVE, Verdict.REJECT])
        reason = None if verdict is Verdict.APPROVE else ReasonCode.OTHER
        row = console.desk.rows[enrollment]
        console.process.spawn(console.decide(row, verdict, reason, None), "officer")
    return "two officers decide about one enrollment"


def _common(pair: Sequence[Console]) -> list[UUID]:
    """What waits on the lists of all of them, while they run."""
    if not all(console.process.alive for console in pair):
        return []
    first, *others = ([id_ for id_, r in c.desk.rows.items() if r.waiting] for c in pair)
    return [id_ for id_ in first if all(id_ in other for other in others)]


def officer_withdraws(world: World, chance: Chance) -> str | None:
    """Takes back something that waits, if the list shows such a thing."""
    console = _running(world, chance)
    if console is None:
        return None

    async def withdraw() -> None:
        items: Sequence[OutboxItem] = await console.open_items()
        waiting = [item for item in items if item.state in TAKEN_BACK]
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
            if item.enrollment == row.enrollment and item.state in TAKEN_BACK:
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


def _running(world: World, chance: Chance) -> Console | None:
    running = [console for console in world.consoles if console is not None]
    return chance.choice(running) if running else None


# Kind -> how often, where a seed has it at all. Those of the first part every seed has.
ALWAYS: dict[Act, float] = {student_acts: 6, officer_decides: 16, story_is_told: 4}
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
    queue_is_edited: 1.2,
    key_is_lost: 0.3,
}
