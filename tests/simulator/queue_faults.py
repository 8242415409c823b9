"""What befalls a console's queue file: it is edited, its key is lost, an old copy comes back."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from uuid import UUID

from tests.simulator import queue_files
from tests.simulator.chance import Chance
from tests.simulator.hand import Hand
from tests.simulator.world import World


def queue_is_rolled_back(world: World, chance: Chance) -> str | None:
    """Somebody keeps a copy of a console's folder, and puts it back later."""
    number = chance.randrange(len(world.desks))
    queue = world.desks[number].queue
    world.stop_console(number)
    copy = queue.with_suffix(".copy")
    if not copy.exists():
        if queue.exists():
            queue_files.copy_database(queue, copy)
        return f"the queue of console {number} is copied"
    restore(world, number, copy)
    return f"the queue of console {number} is an old copy"


def restore(world: World, number: int, copy: Path) -> None:
    """Put a copy of a queue in its place; the console must not run."""
    queue = world.desks[number].queue
    queue_files.copy_database(copy, queue)
    world.book.rolled_back(number, queue_files.rows_of(queue) or {})
    if number in world.lost_keys:  # the copy may be sealed with the one before
        world.book.struck(number, None)


async def queue_is_edited(world: World, chance: Chance) -> str | None:
    """While the console does not run. Its officer then reads what is told, and decides again."""
    number = chance.randrange(len(world.desks))
    queue = world.desks[number].queue
    if not queue.exists() or not queue.stat().st_size:
        return None
    world.stop_console(number)
    edit = chance.choice(queue_files.EDITS)
    before = queue_files.rows_of(queue)
    try:
        edit(queue, chance)
    except sqlite3.Error:
        return None  # it was damaged before
    after = queue_files.rows_of(queue)
    if edit is queue_files.delete_row:
        _deleted(world, before, after)
    world.book.struck(number, queue_files.struck(before, after))
    world.tell("storm", f"the queue of console {number} is edited: {edit.__name__}")
    await Hand(world, number).decide_anew(chance)
    return None


def _deleted(
    world: World,
    before: dict[UUID, queue_files.Row] | None,
    after: dict[UUID, queue_files.Row] | None,
) -> None:
    """A row that somebody took out cannot be told from one that never was."""
    world.book.destroyed |= (before or {}).keys() - (after or {}).keys()


async def key_is_lost(world: World, chance: Chance) -> str | None:
    """The keyring was set up anew: the queue is sealed with a key that nobody has."""
    number = chance.randrange(len(world.desks))
    world.stop_console(number)
    world.keys[number] = chance.randbytes(32)
    world.book.struck(number, None)
    world.lost_keys.add(number)
    world.tell("storm", f"the queue's key of console {number} is lost")
    await Hand(world, number).decide_anew(chance)
    return None
