"""A student over real HTTP and a real websocket, as the student page's script would be."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import ExitStack
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from scripts.demo.console_process import DemoError

LIVE_SECONDS = 10.0


class Student:
    """Signed up on creation; `cards` is what the page would show."""

    def __init__(self, base_url: str, name: str) -> None:
        self._origin = base_url.rstrip("/")
        self._http = httpx.Client(
            base_url=self._origin, headers={"Origin": self._origin}, timeout=LIVE_SECONDS
        )
        email = f"student.{uuid.uuid4().hex[:8]}@example.org"
        self._post("sign-up", {"name": name, "email": email, "password": uuid.uuid4().hex})
        self._open = ExitStack()
        self._live = self._connect()

    def cards(self) -> list[dict[str, Any]]:
        answer = self._http.get("/api/student/cards").raise_for_status().json()
        return list(answer["cards"])

    def card(self, course: str) -> dict[str, Any]:
        return next(card for card in self.cards() if card["course"] == course)

    def enroll(self, course: str) -> str:
        """Starts an EFT payment and gives the reference (plain form) to pay with."""
        answer = self._post("enroll", {"course": course, "method": "eft"})
        return str(answer["bank"]["reference"]).replace("-", "")

    def submit(self, course: str) -> None:
        """I have paid."""
        self._post("eft", {"course": course})

    def lessons(self, course: str) -> httpx.Response:
        return self._http.get(f"/api/student/lessons/{course}")

    def wait_for_label(self, course: str, label: str) -> int:
        """The monotonic time (ns) at which the live feed said that the card reads `label`."""
        deadline = time.monotonic() + LIVE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                message = json.loads(self._live.recv(timeout=left))
            except TimeoutError:
                break
            card = message.get("card")
            if card and card["course"] == course and card["label"] == label:
                return time.monotonic_ns()
        raise DemoError(f"the student's page never read {label!r}")

    def close(self) -> None:
        self._open.close()
        self._http.close()

    def _connect(self) -> ClientConnection:
        cookies = "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())
        live = self._open.enter_context(
            connect(
                self._origin.replace("http", "ws", 1) + "/live/student",
                additional_headers={"Cookie": cookies, "Origin": self._origin},
            )
        )
        live.recv(timeout=LIVE_SECONDS)  # all cards first
        return live

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._http.post(
            f"/api/student/{path}", json=body, headers={"Idempotency-Key": uuid.uuid4().hex}
        )
        if answer.is_error:
            raise DemoError(f"{path} was refused: {answer.text}")
        return dict(answer.json())
