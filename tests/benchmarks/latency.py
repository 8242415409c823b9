"""The main job, round after round: a payment comes in and is approved; how long each side waits.

One machine, four real processes: the console (offscreen, driven by its automation), the backend
that it starts, a Chromium with the student's page, and this one, which posts for the student.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import groupby
from socket import IPPROTO_TCP, TCP_NODELAY
from urllib.parse import urlsplit

from playwright.sync_api import Browser
from websockets.sync.client import ClientConnection, connect

from tests.benchmarks.processes import BenchError, Child, running
from tests.benchmarks.pupils import Tab, submission
from tests.benchmarks.report import Line, median, percentile
from tests.benchmarks.scale import Scale
from tests.benchmarks.school import Place, make_demo
from tests.support.browser import find_chromium, launched

_PUPILS = 25
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}


@dataclass
class _Times:
    """Milliseconds, one of each per round."""

    painted: list[float] = field(default_factory=list)
    flipped: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)


def latencies(scale: Scale) -> Iterator[Line]:
    """`submitted_to_console_p99`: from before the student's POST to the row painted in the window.
    `approved_to_student_p99`: from the officer's key press to the new label in the browser's
    document (MutationObserver; the two clocks are compared when the page opens, right to about
    half a millisecond).

    The limit of both: p99 of a text going to a bare websocket server and back, once each round.
    """
    times = _Times()
    data = scale.sub("latency")
    count = scale.rounds
    pupils = min(_PUPILS, count)
    work = make_demo(data, pupils=pupils, courses=-(-count // pupils), places=count)
    places = sorted(asyncio.run(work), key=lambda place: place.pupil.token)
    arguments = ("--automation", "--data", str(data))
    console = Child("console", *arguments, log=data / "console.log", environment=OFFSCREEN)
    bare = Child("tests.benchmarks.bare", "broadcast", log=data / "bare.log")
    chromium = find_chromium()
    with ExitStack() as stack:
        stack.enter_context(running(console))
        stack.enter_context(running(bare))
        echo = stack.enter_context(
            connect(f"ws://127.0.0.1:{bare.answer()['port']}", compression=None)
        )
        browser = stack.enter_context(launched(chromium)) if chromium else None
        url = console.do("wait_live", seconds=60)["backend_url"]
        machine = _Machine(console, browser, echo, url)
        for _, some in groupby(places, key=lambda place: place.pupil.token):
            _rounds(machine, list(some), times)
    limit = percentile(times.bare, 99)
    metric = f"p99 of {count} rounds"
    yield _line("submitted_to_console_p99", metric, times.painted, limit)
    if chromium is None:
        why = "there is no Chromium on this machine"
        yield Line("approved_to_student_p99", metric, "ms", None, note=why)
    else:
        yield _line("approved_to_student_p99", metric, times.flipped, limit)


def _line(bench: str, metric: str, values: list[float], limit: float) -> Line:
    note = f"median {median(values):.1f} ms"
    return Line(bench, metric, "ms", percentile(values, 99), limit, note=note)


@dataclass(frozen=True)
class _Machine:
    """What runs on it during the rounds."""

    console: Child
    browser: Browser | None
    echo: ClientConnection
    url: str

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0


def _rounds(machine: _Machine, places: list[Place], times: _Times) -> None:
    """All rounds of one student, on one page and one connection."""
    console = machine.console
    tab = Tab(machine.browser, machine.url, places[0]) if machine.browser else None
    student = HTTPConnection("127.0.0.1", machine.port)
    student.connect()
    student.sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    for place in places:
        if tab is not None:
            tab.arm(place.course, "Continue Course")
        console.tell("wait_row", reference=place.reference)
        start = time.monotonic_ns()
        _post(student, machine.port, place)
        times.painted.append((console.answer()["painted_ns"] - start) / 1e6)
        console.do("select", reference=place.reference)
        pressed = console.do("approve")["pressed_ns"]
        if tab is not None:
            times.flipped.append((tab.flipped() - pressed) / 1e6)
        console.do("wait_gone", reference=place.reference)
        times.bare.append(_there_and_back(machine.echo))
    student.close()
    if tab is not None:
        tab.close()


def _post(student: HTTPConnection, port: int, place: Place) -> None:
    """Over a kept connection, as a browser does. Raises BenchError if it was refused."""
    path, headers, body = submission(port, place)
    student.request("POST", path, body, headers)
    answer = student.getresponse()
    told = answer.read()
    if answer.status != 200:
        raise BenchError(f"a payment was refused: {told.decode()}")


def _there_and_back(echo: ClientConnection) -> float:
    start = time.monotonic_ns()
    echo.send("x" * 1_000)
    echo.recv()
    return (time.monotonic_ns() - start) / 1e6
