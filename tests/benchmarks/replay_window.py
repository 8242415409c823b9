"""How a real window fares while a queue that grew without a network goes out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

from tests.benchmarks.processes import BenchError
from tests.benchmarks.report import Line
from tests.benchmarks.scale import Scale
from tests.benchmarks.stalls import STATED_LIMIT_MS
from tests.crash.backend import BackendProcess, Reservation
from tests.crash.console import ConsoleProcess
from tests.crash.house import make_house
from tests.crash.journal import ACCEPTED, Journal
from tests.support.waiting import wait_until

LIMIT_SECONDS = 2.0
_PATIENCE_SECONDS = 120.0


def replayed_in_a_window(scale: Scale) -> Iterator[Line]:
    """The real backend is killed, the officer of a real console decides every payment of the list,
    the backend comes back, F5: seconds until nothing waits any more, and the milliseconds in which
    the window's event loop did not turn, the longest.

    The console's queue, keys and list are on the disk as always; its keyring is a file.
    """
    count = scale.decisions
    with ExitStack() as stack:
        reserve = Reservation()
        stack.callback(reserve.close)
        folder = scale.sub("replay-window")
        house = make_house(folder, port=reserve.port, seats=0, waiting=count)
        backend = BackendProcess(house)
        stack.callback(backend.close)
        backend.start()
        backend.wait_until_ready()
        journal = Journal()
        console = ConsoleProcess(house, journal, windowed=True, seed="replay")
        stack.callback(console.kill)
        console.wait_until_live()
        _until(console, pending=count)
        backend.kill()
        wait_until(lambda: console.ask("state")["connection"] != "live", what="a lost connection")
        console.ask("decide_all")
        _until(console, outbox_waiting=count)
        backend.start()
        backend.wait_until_ready()
        console.ask("stalls")
        start = time.monotonic()
        console.ask("retry")
        _until(console, outbox_waiting=0)
        seconds = time.monotonic() - start
        stall = console.ask("stalls")
        ends = [told.state for told in console.everything().values()]
        if ends != [ACCEPTED] * count or journal.odd:
            raise BenchError(f"not everything was accepted: {sorted(set(ends))}, {journal.odd}")
    name, busy = "replayed_after_reconnect", f"at work for {stall['busy_ms']:.1f} ms of it"
    yield Line(name, f"{count} in a real window", "s", seconds, LIMIT_SECONDS)
    metric = "longest stall of the window meanwhile"
    yield Line(name, metric, "ms", stall["longest_ms"], STATED_LIMIT_MS, note=busy)


def _until(console: ConsoleProcess, **wanted: int) -> None:
    def is_there() -> bool:
        state = console.ask("state")
        return all(state.get(name) == value for name, value in wanted.items())

    wait_until(is_there, timeout=_PATIENCE_SECONDS, what=str(wanted))
