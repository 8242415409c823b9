"""Students who enroll and pay over HTTP and do not give up while the backend is away."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from uuid import UUID

import httpx
from uuid_utils.compat import uuid7

from tests.crash.house import House, Seat
from tests.crash.journal import Journal
from tests.support.live_backend import http_client
from tests.support.waiting import wait_until

_AT_ONCE = 3
_AGAIN_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0


class Students:
    """`go(count)` lets so many more of them pay; `finish` waits until each has its answer."""

    def __init__(self, house: House, journal: Journal, seed: str) -> None:
        self._house = house
        self._journal = journal
        self._seats = list(house.seats)
        self._queue: SimpleQueue[Seat | None] = SimpleQueue()
        self.open = 0
        """How many wait for their answer, or for their turn."""
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(f"{seed} {number}",), daemon=True)
            for number in range(_AT_ONCE)
        ]
        for thread in self._threads:
            thread.start()

    def go(self, count: int) -> None:
        some, self._seats = self._seats[:count], self._seats[count:]
        with self._lock:
            self.open += len(some)
        for seat in some:
            self._queue.put(seat)

    def finish(self) -> None:
        wait_until(lambda: self.open == 0, timeout=_PATIENCE_SECONDS, what="the students' answers")

    def close(self) -> None:
        """What is not asked for yet is left out."""
        with suppress(Empty):
            while True:
                self._queue.get_nowait()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)

    def _work(self, seed: str) -> None:
        chance = random.Random(seed)
        with http_client(self._house.url) as http:
            while (seat := self._queue.get()) is not None:
                time.sleep(chance.uniform(0.0, 0.04))
                self._pay(http, seat)
                with self._lock:
                    self.open -= 1

    def _pay(self, http: httpx.Client, seat: Seat) -> None:
        course = {"course": str(seat.course)}
        if self._ask(http, seat, "enroll", {**course, "method": "eft"}) is None:
            return
        card = self._ask(http, seat, "eft", course)
        if card is not None:
            self._journal.note_submitted(UUID(card["enrollment"]))

    def _ask(
        self, http: httpx.Client, seat: Seat, path: str, body: dict[str, str]
    ) -> dict[str, str] | None:
        """Again and again under one key until it is answered; None if that was a refusal."""
        headers = {
            "Origin": self._house.url,
            "Cookie": f"bursar_session={seat.token}",
            "Idempotency-Key": str(uuid7()),
        }
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < give_up:
            try:
                answer = http.post(f"/api/student/{path}", json=body, headers=headers)
            except httpx.TransportError:
                time.sleep(_AGAIN_SECONDS)
                continue
            if answer.is_success:
                return dict(answer.json())
            if not answer.is_server_error:
                self._journal.note_odd(f"a student was refused: {answer.text}")
                return None
            time.sleep(_AGAIN_SECONDS)
        self._journal.note_odd("a student never had an answer")
        return None
