"""A desktop for one test: a display without a screen, and a bus with a tray and notifications."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from queue import Queue
from threading import Event, Thread
from typing import Any

from jeepney import (  # type: ignore[import-untyped]  # it has no types
    DBusAddress,
    HeaderFields,
    MessageType,
    new_method_return,
    new_signal,
)
from jeepney.bus_messages import message_bus  # type: ignore[import-untyped]  # as above
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]  # as above

_NAMES = ("org.kde.StatusNotifierWatcher", "org.freedesktop.Notifications")
_NOTIFICATIONS = DBusAddress(
    "/org/freedesktop/Notifications", interface="org.freedesktop.Notifications"
)
_LOOK_UP_SECONDS = 0.1
_TRAY_IS_THERE = {"IsStatusNotifierHostRegistered": ("b", True), "ProtocolVersion": ("i", 0)}


class Desktop:
    """Takes tray icons, and clicks on every notification at once."""

    def __init__(self, connection: Any, environment: Mapping[str, str]) -> None:
        self._connection = connection
        self.environment = environment
        """What a program needs to be on this desktop."""
        self.notifications: Queue[tuple[str, str]] = Queue()
        """Title and text of each."""
        self._closed = Event()
        for name in _NAMES:
            connection.send_and_get_reply(message_bus.RequestName(name))
        self._thread = Thread(target=self._serve, name="desktop", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        self._thread.join()
        self._connection.close()

    def _serve(self) -> None:
        while not self._closed.is_set():
            # To close a connection does not wake the thread that reads from it.
            with suppress(TimeoutError):
                message = self._connection.receive(timeout=_LOOK_UP_SECONDS)
                if message.header.message_type is MessageType.method_call:
                    self._answer(message)

    def _answer(self, call: Any) -> None:
        member = call.header.fields[HeaderFields.member]
        reply = self._connection.send
        if member == "Get":
            reply(new_method_return(call, "v", (_TRAY_IS_THERE[call.body[1]],)))
        elif member == "GetAll":
            reply(new_method_return(call, "a{sv}", (_TRAY_IS_THERE,)))
        elif member == "GetCapabilities":
            reply(new_method_return(call, "as", (["body", "actions"],)))
        elif member == "Notify":
            reply(new_method_return(call, "u", (7,)))
            self.notifications.put((call.body[3], call.body[4]))
            reply(new_signal(_NOTIFICATIONS, "ActionInvoked", "us", (7, "default")))
        else:
            reply(new_method_return(call))


@contextmanager
def open_desktop() -> Iterator[Desktop]:
    """Programs started with its `environment` see this desktop and no other."""
    with ExitStack() as stack:
        display = stack.enter_context(
            _program("Xvfb", "-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1440x900x24")
        )
        address = stack.enter_context(
            _program("dbus-daemon", "--session", "--nofork", "--print-address=1")
        )
        environment = {
            **os.environ,
            "DISPLAY": f":{display}",
            "DBUS_SESSION_BUS_ADDRESS": address,
            "QT_QPA_PLATFORM": "xcb",
            "XDG_RUNTIME_DIR": stack.enter_context(tempfile.TemporaryDirectory()),
        }
        desktop = Desktop(open_dbus_connection(address), environment)
        stack.callback(desktop.close)
        yield desktop


@contextmanager
def _program(*command: str) -> Iterator[str]:
    """Runs it; gives the line that it prints when it is ready."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
