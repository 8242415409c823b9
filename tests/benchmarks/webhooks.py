"""How many callbacks a second are accepted: signature checked, on the disk, answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from tests.backend.webhooks.letters import PATH, failures, signed
from tests.benchmarks.host import IN_FLIGHT
from tests.benchmarks.processes import BenchError, Child, running
from tests.benchmarks.raw_engines import postgres_rate, sqlite_rate
from tests.benchmarks.report import Line, median, percentile
from tests.benchmarks.scale import Scale
from tests.benchmarks.wire import Wire, post
from tests.support.postgres import MISSING, find_programs, private_server

_BENCH = "webhooks_accepted"
_LINKS = 20
_LIMIT_MS = 100.0


def webhooks_accepted(scale: Scale) -> Iterator[Line]:
    """Different callbacks per second, 32 in flight, synchronous=FULL, at the handler (signature
    checked, on the disk) and over HTTP. The one node works on them meanwhile: four at a time, its
    provider takes 0.2 s to answer. Then the time of our answer over HTTP at half of that rate,
    from the moment each was to be sent.

    The limit is the raw engine on the same disk, one connection, one commit each, turn by turn.
    Ours may pass it: what waits is committed together. For the answer it is what was asked for.
    """
    folder = scale.sub("webhooks")
    raw = folder / "raw.sqlite3"
    yield from _engine(scale, "SQLite", None, lambda: sqlite_rate(raw, scale.decisions))
    programs = find_programs()
    if programs is None:
        yield Line(_BENCH, "PostgreSQL", "1/s", None, note=MISSING)
        return
    with private_server(programs, fsync=True) as server, closing(server.connect()) as own:
        url = server.create("bench")
        yield from _engine(scale, "PostgreSQL", url, lambda: postgres_rate(own, scale.decisions))


def _engine(scale: Scale, name: str, url: str | None, raw: Callable[[], float]) -> Iterator[Line]:
    folder = scale.sub(name)
    rates: list[float] = []
    inside: list[float] = []
    limits: list[float] = []
    host = Child(
        "tests.benchmarks.called_host", str(folder), *([url] if url else []),
        log=folder / "host.log",
    )  # fmt: skip
    with running(host):
        begun = host.do("start", links=_LINKS)
        letters = _letters(begun["port"], begun["links"])
        for _ in range(scale.turns):
            limits.append(raw())
            inside.append(scale.webhooks / host.do("receive", count=scale.webhooks)["seconds"])
            some = [next(letters) for _ in range(scale.webhooks)]
            rates.append(scale.webhooks / asyncio.run(_post_all(begun["port"], some)))
        rate = median(rates)
        some = [next(letters) for _ in range(scale.webhooks)]
        answers = asyncio.run(_paced(begun["port"], some, rate / 2))
        counted = host.do("count")
    if counted["kept"] != (2 * scale.turns + 1) * scale.webhooks:
        raise BenchError(f"not everything was kept: {counted}")
    limit = median(limits)
    yield Line(_BENCH, f"{name}, at the handler", "1/s", median(inside), limit)
    yield Line(_BENCH, f"{name}, over HTTP", "1/s", rate, limit)
    yield Line(_BENCH, f"{name}, p99 at half", "ms", percentile(answers, 99) * 1000, _LIMIT_MS)


def _letters(port: int, links: list[list[str]]) -> Iterator[bytes]:
    """As they travel."""
    for body in failures(links):
        yield post(port, PATH, signed(body), body.decode())


async def _post_all(port: int, letters: list[bytes]) -> float:
    """Send all, 32 at a time; the seconds it took."""

    async def work() -> None:
        wire = await Wire.connect(port)
        while letters:
            _check(await wire.send(letters.pop()))
        await wire.close()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return time.perf_counter() - start


async def _paced(port: int, letters: list[bytes], rate: float) -> list[float]:
    """Send so many a second, whatever the answers take: the seconds of each, the waiting too."""
    wires: asyncio.Queue[Wire] = asyncio.Queue()
    for _ in range(IN_FLIGHT):
        wires.put_nowait(await Wire.connect(port))
    took: list[float] = []
    start = time.perf_counter()

    async def one(due: float, letter: bytes) -> None:
        wire = await wires.get()
        _check(await wire.send(letter))
        took.append(time.perf_counter() - due)
        wires.put_nowait(wire)

    async with asyncio.TaskGroup() as sending:
        for number, letter in enumerate(letters):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sending.create_task(one(due, letter))
    while not wires.empty():
        await wires.get_nowait().close()
    return took


def _check(body: bytes) -> None:
    if json.loads(body) != {"status": "received"}:
        raise BenchError(f"a callback was not accepted: {body.decode()}")
