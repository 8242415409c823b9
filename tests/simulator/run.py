"""Plays many seeds on all cores, tells how far it is, and how to see a failure again."""

from __future__ import annotations

import gc
import json
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

from tests.simulator.play import Played, Stage, stage
from tests.simulator.template import make_house

CHUNK = 20
STORIES = 3  # so many failures are told whole
_TELL_SECONDS = 10.0
_RAM = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it


@contextmanager
def open_stage() -> Iterator[Stage]:
    """A stage of this process's own, in memory where the system has such a folder: the storms
    never cut the power, so nothing has to reach a disk."""
    place = _RAM if os.access(_RAM, os.W_OK) else None
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="bursar-sim-", dir=place))
        house = make_house(Path(name) / "house")
        yield stack.enter_context(stage(house, Path(name) / "world"))


@dataclass(frozen=True, slots=True)
class Failure:
    """A seed whose world broke, with its story."""

    seed: int
    invariant: str
    message: str
    story: tuple[str, ...]

    @property
    def replay(self) -> str:
        return f"make simulate SEEDS=1 FIRST={self.seed}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some seeds played: `digest` stands for all their stories, in order."""

    seeds: range
    digest: str
    decisions: int
    failures: tuple[Failure, ...]


class _Worker:
    """What one process of the pool keeps from seed to seed."""

    stage: Stage | None = None
    stack = ExitStack()


def _begin() -> None:
    _Worker.stage = _Worker.stack.enter_context(open_stage())
    gc.collect()
    gc.freeze()


def _play(seeds: range) -> Chunk:
    if _Worker.stage is None:
        raise RuntimeError("the worker has no stage")
    return play_seeds(_Worker.stage, seeds)


def play_seeds(on: Stage, seeds: range) -> Chunk:
    looks_by_itself = gc.isenabled()
    gc.disable()  # worlds are full of cycles, and thrown away whole
    try:
        played = [on.play(seed) for seed in seeds]
    finally:
        gc.collect()
        if looks_by_itself:
            gc.enable()
    failures = tuple(failure for one in played if (failure := _failure(one)) is not None)
    decisions = sum(one.decisions for one in played)
    return Chunk(seeds, digest_of(one.digest for one in played), decisions, failures)


def digest_of(digests: Iterable[str]) -> str:
    """One for many, in order."""
    return sha256("".join(digests).encode()).hexdigest()[:16]


def _failure(played: Played) -> Failure | None:
    if played.broken is None:
        return None
    return Failure(played.seed, played.broken.invariant, played.broken.message, played.story)


def simulate(*, seeds: int, first: int, jobs: int) -> int:
    """Play the seeds from `first` on; the exit status. The last line is a summary in JSON."""
    began = told_at = time.monotonic()
    failures: list[Failure] = []
    digests: list[str] = []
    done = decisions = 0
    for chunk in _played(range(first, first + seeds), jobs):
        done += len(chunk.seeds)
        decisions += chunk.decisions
        digests.append(chunk.digest)
        for failure in chunk.failures:
            _tell(failure, whole=len(failures) < STORIES)
            failures.append(failure)
        if time.monotonic() - told_at > _TELL_SECONDS:
            told_at = time.monotonic()
            rate = done / (told_at - began)
            print(f"{done:,} of {seeds:,} seeds, {len(failures)} broken, {rate:.1f}/s", flush=True)
    summary = {
        "simulate": "failed" if failures else "ok",
        "seeds": seeds,
        "first": first,
        "failed": len(failures),
        "decisions": decisions,
        "seeds_per_second": round(seeds / (time.monotonic() - began), 1),
        "digest": digest_of(digests),
    }
    print(json.dumps(summary), flush=True)
    return 1 if failures else 0


def _played(seeds: range, jobs: int) -> Iterator[Chunk]:
    chunks = [seeds[at : at + CHUNK] for at in range(0, len(seeds), CHUNK)]
    if jobs == 1 or len(chunks) == 1:
        with open_stage() as here:
            yield from (play_seeds(here, chunk) for chunk in chunks)
        return
    # Fresh processes, the same on every system.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin) as pool:
        yield from pool.map(_play, chunks)


def _tell(failure: Failure, *, whole: bool) -> None:
    print(f"\nseed {failure.seed} broke: {failure.invariant}")
    print(f"  {failure.message}")
    if whole:
        print("\n".join(f"  {line}" for line in failure.story))
    print(f"  see it again: {failure.replay}\n", flush=True)
