"""A process of listeners: many websockets, read with epoll and nothing else, so that what is
measured is the server. Arguments: port, path, how many, and the text to say first (maybe empty).
Its limit of open files is its parent's.

    (at the start)                  -> {"connected": n}
    {"do": "await", "marker": ".."} -> {"last_ns": ..}: when the last of them had got a message
                                       with this text in it; time.monotonic_ns()
"""

from __future__ import annotations

import base64
import os
import selectors
import socket
import struct
import sys
import time

from tests.benchmarks.processes import commands, say

_QUIET_SECONDS = 0.3
_READ_BYTES = 16_384  # more would be mapped and unmapped by the allocator for each read
_GIVE_UP_SECONDS = 30.0


def connect(port: int, path: str, hello: bytes) -> tuple[socket.socket, bytes]:
    """A websocket that has said hello, and what came with the handshake's answer."""
    made = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    made.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        "\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = made.recv(65536)
        if not more:
            raise ConnectionError(answer.decode(errors="replace"))
        answer += more
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b" 101 " not in head.splitlines()[0]:
        raise ConnectionError(head.decode(errors="replace"))
    if hello:
        made.sendall(frame(hello))
    made.setblocking(False)
    return made, rest


def frame(payload: bytes) -> bytes:
    """A masked text frame; the mask is zero, which changes nothing."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack("!H", size)
    return b"\x81" + length + b"\0\0\0\0" + payload


class Listener:
    """`marked` once a whole message with the marker came. Fed with whatever the socket gives."""

    def __init__(self, made: socket.socket) -> None:
        self.socket = made
        self._tail = b""

    def take(self, marker: bytes) -> bool:
        """Read what is there; whether a whole message with the marker was in it."""
        data = self._tail + self.socket.recv(_READ_BYTES)
        found, place = False, 0
        while (end := _frame_end(data, place)) is not None:
            found = found or data.find(marker, place, end) >= 0
            place = end
        self._tail = data[place:]
        return found


def _frame_end(data: bytes, start: int) -> int | None:
    """Where the frame at `start` ends, or None if it is not whole. Frames of servers: no mask."""
    if len(data) < start + 2:
        return None
    size, head = data[start + 1], 2
    if size == 126:
        head = 4
    elif size == 127:
        head = 10
    if len(data) < start + head:
        return None
    if head > 2:
        size = int.from_bytes(data[start + 2 : start + head])
    end = start + head + size
    return end if end <= len(data) else None


class Crowd:
    def __init__(self, port: int, path: str, count: int, hello: bytes) -> None:
        self._selector = selectors.DefaultSelector()
        self._count = count
        for _ in range(count):
            made, _rest = connect(port, path, hello)
            self._selector.register(made, selectors.EVENT_READ, Listener(made))
        while events := self._selector.select(_QUIET_SECONDS):
            for key, _ in events:
                key.data.take(b"\0")

    def wait_for(self, marker: bytes) -> int:
        """When the last one had it (ns). Raises TimeoutError."""
        left, give_up = self._count, time.monotonic() + _GIVE_UP_SECONDS
        while left:
            events = self._selector.select(1.0)
            if not events and time.monotonic() > give_up:
                raise TimeoutError
            for key, _ in events:
                left -= key.data.take(marker)
        return time.monotonic_ns()


def main(port: str, path: str, count: str, hello: str) -> None:
    crowd = Crowd(int(port), path, int(count), hello.encode())
    say(connected=int(count))
    for command in commands():
        say(last_ns=crowd.wait_for(command["marker"].encode()))


if __name__ == "__main__":
    main(*sys.argv[1:])
