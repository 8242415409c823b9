"""Plays one seed: a storm of a seed's own kind, a calm, and the verdict."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path

from sqlalchemy import Engine

from core.backend.storage.engine import open_engine
from tests.simulator import faults, invariants, permissions
from tests.simulator.build import Build
from tests.simulator.chance import Chance
from tests.simulator.faults import Act
from tests.simulator.invariants import Broken
from tests.simulator.loop import VirtualLoop
from tests.simulator.template import DATABASE, House, database_url
from tests.simulator.world import World

STEPS = (4, 14)
LOOK_EVERY = 6
CALM_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a seed. `digest` stands for its whole story."""

    seed: int
    broken: Broken | None
    digest: str
    story: tuple[str, ...]
    decisions: int


@dataclass(frozen=True)
class Stage:
    """Where this process plays its worlds, one after the other: a folder, and an engine over the
    database in it, which keeps its compiled statements from world to world."""

    house: House
    folder: Path
    engine: Engine

    def play(self, seed: int, build: Build | None = None) -> Played:
        """The same seed and build always give the same story."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.house.copy_to(self.folder)
        loop = VirtualLoop()
        try:
            return loop.run_until_complete(self._play(seed, build or Build()))
        finally:
            loop.close()
            self.engine.dispose()

    async def _play(self, seed: int, build: Build) -> Played:
        world = World(
            seed=seed, house=self.house, folder=self.folder, engine=self.engine, build=build
        )
        broken = await _live(world)
        await world.close()
        decisions = len(world.book.made)
        return Played(seed, broken, world.digest, tuple(world.story), decisions)


@contextmanager
def stage(house: House, folder: Path) -> Iterator[Stage]:
    """Build it once per process."""
    engine = open_engine(database_url(folder))
    try:
        yield Stage(house, folder, engine)
    finally:
        engine.dispose()
        shutil.rmtree(folder, ignore_errors=True)


async def _live(world: World) -> Broken | None:
    chance = Chance(world.seed, "storm")
    acts = _acts(chance)
    world.open()
    await asyncio.sleep(2.0)
    for step in range(chance.randint(*STEPS)):
        (act,) = chance.choices(list(acts), list(acts.values()))
        told = act(world, chance)
        if isawaitable(told):
            told = await told
        if told is not None:
            world.tell("storm", told)
        await asyncio.sleep(chance.expovariate(1.0))
        if step % LOOK_EVERY == LOOK_EVERY - 1:
            broken = invariants.now(world)
            if broken is not None:
                return broken
    return await _calm(world, chance)


def _acts(chance: Chance) -> dict[Act, float]:
    """People always work; of what can go wrong, a seed has some kinds, each in its own measure."""
    share = chance.choice([0.3, 0.6, 0.9])
    kinds = {kind: w for kind, w in faults.STORM.items() if chance.happens(share)}
    return faults.ALWAYS | {kind: w * chance.uniform(0.5, 2.0) for kind, w in kinds.items()}


async def _calm(world: World, chance: Chance) -> Broken | None:
    world.calm_down()
    for number in sorted(world.book.disabled):
        if chance.happens(0.7):
            permissions.disable(world, number, disabled=False)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.sleep(20.0)  # until what was late has come
    world.build.tamper(world.folder / DATABASE)
    for console in world.consoles:
        if console is not None:
            console.process.spawn(console.retry(), "officer")
    await asyncio.sleep(5.0)
    while loop.time() - begun < CALM_SECONDS:
        if await world.is_quiet():
            break
        broken = invariants.now(world)
        if broken is not None:
            return broken
        await asyncio.sleep(5.0)
    return await invariants.at_the_end(world)
