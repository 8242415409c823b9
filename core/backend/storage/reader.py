"""Reads beside the writer: each in its own transaction, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from core.backend.storage.engine import read_transaction

_T = TypeVar("_T")

READ_THREADS = 4


class Reader:
    """`await reader.run(query)`: the query sees one unchanging state of the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="read")

    async def run(self, query: Callable[[Connection], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.run_now, query)

    def run_now(self, query: Callable[[Connection], _T]) -> _T:
        """The same in the calling thread. Raises DatabaseAwayError where there is no connection."""
        try:
            return self._read(query)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._read(query)  # the connection was cut: once more

    def _read(self, query: Callable[[Connection], _T]) -> _T:
        with read_transaction(self._engine) as connection:
            return query(connection)

    def close(self) -> None:
        self._threads.shutdown(wait=True)
