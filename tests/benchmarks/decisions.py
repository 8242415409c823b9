"""How many signed decisions a second end up on the disk, with their ledger entries."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from tests.benchmarks.host import IN_FLIGHT
from tests.benchmarks.processes import BenchError, Child, running
from tests.benchmarks.raw_engines import postgres_rate, sqlite_rate
from tests.benchmarks.report import Line, median
from tests.benchmarks.scale import Scale
from tests.benchmarks.wire import Wire, post
from tests.support.postgres import MISSING, find_programs, private_server

_PLACES_PER_PUPIL = 20


def durable_decisions(scale: Scale) -> Iterator[Line]:
    """Decisions per second, 32 in flight, synchronous=FULL: at the writer (signatures checked
    before, as the reading threads do), and over HTTP (one per request, 32 connections, everything
    included). Medians of some turns.

    The limit is the raw engine on the same disk, one connection, one commit each, turn by turn.
    Ours may pass it: what waits is committed together.
    """
    folder = scale.sub("decisions")
    raw = folder / "raw.sqlite3"
    yield from _engine(scale, "SQLite", None, lambda: sqlite_rate(raw, scale.decisions))
    programs = find_programs()
    if programs is None:
        yield Line("durable_decisions", "PostgreSQL", "1/s", None, note=MISSING)
        return
    with private_server(programs, fsync=True) as server, closing(server.connect()) as own:
        url = server.create("bench")
        yield from _engine(scale, "PostgreSQL", url, lambda: postgres_rate(own, scale.decisions))


def _engine(scale: Scale, name: str, url: str | None, raw: Callable[[], float]) -> Iterator[Line]:
    folder = scale.sub(name)
    written: list[float] = []
    posted: list[float] = []
    limits: list[float] = []
    places = 2 * scale.turns * scale.decisions
    host = Child(
        "tests.benchmarks.host", str(folder), *([url] if url else []), log=folder / "host.log"
    )
    with running(host):
        courses = min(_PLACES_PER_PUPIL, places)
        pupils = -(-places // courses)
        port = host.do("start", courses=courses, pupils=pupils, places=places)["port"]
        for _ in range(scale.turns):
            limits.append(raw())
            written.append(scale.decisions / host.do("write", count=scale.decisions)["seconds"])
            signed = host.do("sign", count=scale.decisions)
            seconds = asyncio.run(_post_all(port, signed["token"], signed["bodies"]))
            posted.append(scale.decisions / seconds)
    limit = median(limits)
    yield Line("durable_decisions", f"{name}, at the writer", "1/s", median(written), limit)
    yield Line("durable_decisions", f"{name}, over HTTP", "1/s", median(posted), limit)


async def _post_all(port: int, token: str, bodies: list[str]) -> float:
    """Post every body; the seconds it took. Raises BenchError if one was not accepted."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    todo = [post(port, "/api/decisions", headers, body) for body in bodies]

    async def work() -> None:
        wire = await Wire.connect(port)
        while todo:
            _check(await wire.send(todo.pop()))
        await wire.close()

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return time.perf_counter() - start


def _check(body: bytes) -> None:
    results = json.loads(body).get("results", [])
    if [result["kind"] for result in results] != ["accepted"]:
        raise BenchError(f"a decision was not accepted: {body.decode()}")
