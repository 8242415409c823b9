"""Plain HTTP over a kept connection: a client that costs next to nothing beside the server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping


class Wire:
    """One connection to 127.0.0.1; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> Wire:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, request: bytes) -> bytes:
        """The body of the answer to a whole request (see `post`)."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        _, _, rest = head.partition(b"content-length:")
        return await self._reader.readexactly(int(rest.split(b"\r\n")[0]))

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


def post(port: int, path: str, headers: Mapping[str, str], body: str) -> bytes:
    """A request with a JSON body, as it travels."""
    data = body.encode()
    fields = {
        "Host": f"127.0.0.1:{port}",
        "Content-Length": str(len(data)),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + data
