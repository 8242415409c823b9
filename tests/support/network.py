"""No test reaches past this machine: connections and look-ups but loopback are refused."""

from __future__ import annotations

import functools
import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

Report = Callable[[str], None]

_INTERNET = (socket.AF_INET, socket.AF_INET6)


class BlockedConnectionError(AssertionError):
    """A test tried to reach another machine."""


def is_local(host: object) -> bool:
    """Whether `host` (a name, an address, or nothing) stays on this machine."""
    if host is None or host in ("", b"", "localhost", b"localhost"):
        return True
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@contextmanager
def loopback_only(report: Report) -> Iterator[None]:
    """Refuse every other address with `BlockedConnectionError`, telling `report` as well.

    The report is for code that swallows the error as one more network failure. Covers this
    process only: a browser or a child process must be given loopback addresses.
    """

    def refuse(host: object) -> None:
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        message = f"blocked connection to {name!r}: tests stay on this machine"
        report(message)
        raise BlockedConnectionError(message)

    def guarded(name: str) -> Any:
        original = getattr(socket.socket, name)

        @functools.wraps(original)
        def call(sock: socket.socket, *args: Any) -> Any:
            # sendto(data, address) and sendto(data, flags, address): the address is the last one.
            if sock.family in _INTERNET and not is_local(args[-1][0]):
                refuse(args[-1][0])
            return original(sock, *args)

        return patch.object(socket.socket, name, call)

    look_up = socket.getaddrinfo

    @functools.wraps(look_up)
    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_local(host):
            refuse(host)
        return look_up(host, *args, **kwargs)

    with (
        guarded("connect"),
        guarded("connect_ex"),
        guarded("sendto"),
        patch.object(socket, "getaddrinfo", getaddrinfo),
    ):
        yield
