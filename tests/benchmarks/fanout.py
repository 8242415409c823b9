"""One event to many staff sockets, and what a socket that only listens costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks.processes import Answer, BenchError, Child, resident_kib, running
from tests.benchmarks.report import Line, median
from tests.benchmarks.scale import Scale

_HOST = "tests.benchmarks.host"
_SOCKETS = "tests.benchmarks.sockets"
_BARE = "tests.benchmarks.bare"
_ENTRY = '"leaf"'  # only entries have one


def fanout(scale: Scale) -> Iterator[Line]:
    """`fanout_deliveries`, per second: sockets / (last of them has the entry - commit woke the
    follower). Ours reads the entry from the database and serialises it in that time. The limit is
    `websockets.broadcast` of the same text to as many bare sockets, turn by turn with ours; the
    listeners are a process that only reads. Medians of all turns.

    `memory_per_socket`: KiB of the backend's process per staff socket that follows the feed. The
    limit is a Starlette endpoint that accepts and waits, under the same server settings.
    """
    folder = scale.sub("fanout")
    host = Child(_HOST, str(folder), log=folder / "host.log")
    broadcast = Child(_BARE, "broadcast", log=folder / "broadcast.log")
    starlette = Child(_BARE, "starlette", log=folder / "starlette.log")
    metric = f"{scale.sockets} staff sockets"
    with running(host), running(broadcast), running(starlette):
        started = host.do("start", courses=4, pupils=scale.events // 4 + 1, places=scale.events)
        staff = _Server(scale, host, started["port"], "/live", _hello(started))
        bare = _Server(scale, broadcast, broadcast.answer()["port"])
        waiting = _Server(scale, starlette, starlette.answer()["port"])
        with (
            staff.crowd(5),
            staff.crowd(scale.sockets) as crowd,
            bare.crowd(scale.sockets) as other,
        ):
            ours, limit = _deliveries(scale, host, crowd, broadcast, other)
        yield Line("fanout_deliveries", metric, "1/s", ours, limit)
        with waiting.crowd(5), waiting.crowd(scale.sockets):
            limit = waiting.grown
        yield Line("memory_per_socket", metric, "KiB", staff.grown, limit)


class _Server:
    """A server and where its sockets are; measures its memory around the latest crowd."""

    def __init__(
        self, scale: Scale, process: Child, port: int, path: str = "/", hello: str = ""
    ) -> None:
        self._scale = scale
        self._process = process
        self._address = (str(port), path)
        self._hello = hello
        self.grown = 0.0
        """KiB for each socket of the latest crowd."""

    @contextmanager
    def crowd(self, count: int) -> Iterator[Child]:
        """Listeners, connected and quiet. A few first bring in what is loaded once; not many, or
        the others would live in their memory."""
        before = self._settled()
        log = self._scale.folder / f"crowd-{self._process.pid}-{count}.log"
        with running(
            Child(_SOCKETS, *self._address, str(count), self._hello, log=log)
        ) as listeners:
            listeners.answer()
            self.grown = (self._settled() - before) / count
            yield listeners

    def _settled(self) -> float:
        self._process.do("settle")
        found = resident_kib(self._process.pid)
        if found is None:
            raise BenchError("this system does not tell the memory of a process")
        return found


def _deliveries(
    scale: Scale, host: Child, crowd: Child, broadcast: Child, other: Child
) -> tuple[float, float]:
    """Ours and the limit, turn by turn."""
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(scale.events):
        crowd.tell("await", marker=_ENTRY)
        event = host.do("event")
        ours.append(_rate(scale, event["woken_ns"], crowd.answer()["last_ns"]))
        other.tell("await", marker=_ENTRY)
        sent = broadcast.do("send", text=event["text"])
        bare.append(_rate(scale, sent["sent_ns"], other.answer()["last_ns"]))
    return median(ours), median(bare)


def _hello(started: Answer) -> str:
    fields = {name: started[name] for name in ("token", "epoch", "next")}
    return json.dumps({"type": "hello", **fields})


def _rate(scale: Scale, start_ns: int, end_ns: int) -> float:
    return scale.sockets * 1e9 / (end_ns - start_ns)
