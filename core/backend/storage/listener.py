"""`LedgerListener`: hears from PostgreSQL that another node wrote, so that the follower looks.

One connection and one thread per node. News that is lost costs nobody an entry: the follower polls.
"""

from __future__ import annotations

import logging
import random
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import Engine

from core.backend.storage.engine import POSTGRES
from core.backend.storage.ledger import CHANNEL

FIRST_DELAY = 0.1
LAST_DELAY = 10.0
CHECK_SECONDS = 20.0
_STOP_SECONDS = 5.0  # the thread may hang at a server that is silent
_log = logging.getLogger(__name__)
_Connection = psycopg.Connection[Any]


class LedgerListener:
    """`on_news` is called in the listener's thread: for each notification, and after each
    (re)connection, because nobody knows what was said meanwhile.
    """

    def __init__(self, engine: Engine, on_news: Callable[[], None]) -> None:
        self._engine = engine
        self._on_news = on_news
        self._stopping = threading.Event()
        # Closing one end wakes the thread, whatever it waits for.
        self._ours, self._theirs = socket.socketpair()
        self._thread = threading.Thread(target=self._work, name="ledger-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its connection; also where it was never started."""
        self._stopping.set()
        self._ours.close()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)
        self._theirs.close()

    def _work(self) -> None:
        delay = FIRST_DELAY
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    delay = FIRST_DELAY
                    self._listen(connection)
            except psycopg.Error as error:
                _log.info("the listening connection is gone: %s", type(error).__name__)
            # Every node loses its connection at once: they must not all come back at once.
            self._stopping.wait(delay * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            delay = min(2 * delay, LAST_DELAY)

    def _connect(self) -> _Connection:
        _, how = self._engine.dialect.create_connect_args(self._engine.url)
        arguments: dict[str, Any] = {**how, **POSTGRES}
        connection: _Connection = psycopg.connect(**arguments, autocommit=True)
        return connection

    def _listen(self, connection: _Connection) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        self._on_news()
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(self._theirs, selectors.EVENT_READ)
            while not self._stopping.is_set():
                if not selector.select(CHECK_SECONDS):
                    connection.execute("SELECT 1")  # is anybody there?
                if not self._stopping.is_set() and list(connection.notifies(timeout=0)):
                    self._on_news()  # one call for whatever has come
