"""Whether the window stays alive while much comes in, and with very many rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import cycle
from urllib.parse import urlsplit

from tests.benchmarks.latency import OFFSCREEN
from tests.benchmarks.processes import BenchError, Child, running
from tests.benchmarks.pupils import submission
from tests.benchmarks.report import Line
from tests.benchmarks.scale import Scale
from tests.benchmarks.school import Place, make_demo
from tests.benchmarks.wire import Wire, post

STATED_LIMIT_MS = 50.0
_PUPILS = 50
_CONNECTIONS = 8


def longest_stall(scale: Scale) -> Iterator[Line]:
    """Milliseconds in which the console's event loop did not turn, the longest while students'
    payments arrive evenly; the limit is the stated one, 50 ms. The console and its backend are
    real processes, the payments are posted by this one.

    Then very many rows in the real pending screen. Each limit is measured beside it: the same work
    on plain lists and dictionaries without Qt (see `rows.py`), plus one repaint of the same screen.
    """
    data = scale.sub("stalls")
    count = scale.arrivals
    pupils = min(_PUPILS, count)
    work = make_demo(data, pupils=pupils, courses=-(-count // pupils), places=count)
    places = asyncio.run(work)
    arguments = ("--automation", "--data", str(data))
    console = Child(
        "tests.benchmarks.watched_console", *arguments, log=data / "log", environment=OFFSCREEN
    )
    with running(console):
        state = console.do("wait_live", seconds=60)
        port = urlsplit(state["backend_url"]).port or 0
        console.do("stalls")
        asyncio.run(_arrive(port, places, scale.arrival_seconds))
        console.do("wait_row", reference=places[-1].reference)
        stall = console.do("stalls")
        if console.do("state")["pending"] < count:
            raise BenchError("not all payments came to the console")
    metric = f"while {count} enrollments arrive in {scale.arrival_seconds:g} s"
    busy = f"the loop's own thread was at work for {stall['busy_ms']:.1f} ms of it"
    yield Line("longest_stall", metric, "ms", stall["longest_ms"], STATED_LIMIT_MS, note=busy)
    rows = Child("tests.benchmarks.rows", str(scale.rows), log=data / "rows", environment=OFFSCREEN)
    with running(rows):
        found = rows.answer()["figures"]
    for name, (value, limit) in found.items():
        yield Line("longest_stall", f"{scale.rows} rows: {name}", "ms", value, limit)


async def _arrive(port: int, places: list[Place], seconds: float) -> None:
    """Post them evenly over the time, whatever the answers take."""
    loop = asyncio.get_running_loop()
    wires = [await Wire.connect(port) for _ in range(_CONNECTIONS)]
    busy = [asyncio.Lock() for _ in wires]
    start = loop.time()

    async def arrive(number: int, place: Place, turn: int) -> None:
        request = post(port, *submission(port, place))
        await asyncio.sleep(start + number * seconds / len(places) - loop.time())
        async with busy[turn]:
            await wires[turn].send(request)

    turns = cycle(range(_CONNECTIONS))
    await asyncio.gather(
        *(
            arrive(n, place, turn)
            for (n, place), turn in zip(enumerate(places), turns, strict=False)
        )
    )
    for wire in wires:
        await wire.close()
