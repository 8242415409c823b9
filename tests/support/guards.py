"""A pytest plugin that fails a test for what it would otherwise only have printed.

Guarded: log records at WARNING or above (structlog too), Qt's own messages, leaked asyncio tasks,
errors of tasks that nobody awaited, the real keyring, and any address but loopback.
A test that wants a warning says so: `with expected_logs("signature refused"): ...`.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import keyring
import pytest
import pytest_asyncio
import structlog
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from console.runtime import garbage
from tests.support.keyrings import BLOCKED, BlockedKeyring, MemoryKeyring
from tests.support.network import loopback_only
from tests.support.watch import ExpectedLogs, Watch

WATCH = pytest.StashKey[Watch]()

# A connection that was closed takes a few rounds of the loop until its own tasks have ended.
_ROUNDS_TO_END = 50

# Qt's offscreen platform says so of every dialog; no real platform does.
_OFFSCREEN_SAYS = "This plugin does not support propagateSizeHints()"

_QT_LEVELS = {
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Put every guard in place for the whole session, and back at its end."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_API", "pyside6")
    watch = Watch()
    config.stash[WATCH] = watch
    guards = ExitStack()
    guards.enter_context(_log_records(watch.log_record))
    guards.enter_context(loopback_only(watch.problem))
    guards.enter_context(_no_real_keyring())
    guards.callback(qInstallMessageHandler, None)
    config.add_cleanup(guards.close)
    config.pluginmanager.register(_Phases(watch), "bursar-guards")


def pytest_collection_finish() -> None:
    """What was imported by now stays: the collections after each test need not look at it.

    None happen in between: in a thread of a backend they would free windows of an earlier test.
    """
    garbage.settle()
    gc.disable()


@pytest.fixture
def expected_logs(request: pytest.FixtureRequest) -> ExpectedLogs:
    """`with expected_logs(pattern) as lines:` allows warnings that match, and fails without one."""
    return request.config.stash[WATCH].expected


@pytest.fixture
def private_keyring() -> Iterator[MemoryKeyring]:
    """A keyring of this test's own in place of the blocked one."""
    blocked = keyring.get_keyring()
    private = MemoryKeyring()
    keyring.set_keyring(private)
    yield private
    keyring.set_keyring(blocked)


@pytest.fixture(autouse=True)
def _guard_the_loop(request: pytest.FixtureRequest) -> None:
    # Only asynchronous tests have a loop; asking for it here makes it outlive other fixtures.
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("_watched_loop")


@pytest_asyncio.fixture
async def _watched_loop(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    watch = request.config.stash[WATCH]
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: watch.loop_error(context))
    before = asyncio.all_tasks()
    yield
    for task in await _still_running(before):
        watch.problem(f"leaked task: {task!r}")
        task.cancel()
        await asyncio.wait([task], timeout=1)
    gc.collect()  # an error nobody asked for shows itself when its task is collected


async def _still_running(before: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    mine = asyncio.current_task()
    for _ in range(_ROUNDS_TO_END):
        if not asyncio.all_tasks() - before - {mine}:
            break
        await asyncio.sleep(0)
    return {task for task in asyncio.all_tasks() - before if task is not mine}


class _Phases:
    """Fails the phase of a test (setup, call or teardown) in which a problem came up."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        # The test before may have set these for itself.
        gc.disable()
        logging.getLogger().setLevel(logging.WARNING)
        _structlog_through_logging()
        qInstallMessageHandler(_qt_message)
        return (yield from self._judged(item, "setup"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        return (yield from self._judged(item, "call"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        try:
            return (yield from self._judged(item, "teardown"))
        finally:
            garbage.look()

    def _judged(self, item: pytest.Item, when: str) -> Generator[None, object, object]:
        try:
            result = yield
        except BaseException:
            # It fails already: what the guards saw is shown beside it.
            item.add_report_section(when, "guards", "\n".join(self._watch.take()))
            raise
        if problems := self._watch.take():
            pytest.fail("\n".join(problems), pytrace=False)
        return result


@contextmanager
def _log_records(report: Callable[[logging.LogRecord], None]) -> Iterator[None]:
    # A record factory sees what a handler may miss when code under test changes the handlers.
    make = logging.getLogRecordFactory()

    def watched(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        # logging.makeLogRecord starts from a record whose level is None.
        if (record.levelno or 0) >= logging.WARNING:
            report(record)
        return record

    logging.setLogRecordFactory(watched)
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)


@contextmanager
def _no_real_keyring() -> Iterator[None]:
    # The variable reaches child processes; this process may have loaded keyring already.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", BLOCKED)
        before = keyring.get_keyring()
        keyring.set_keyring(BlockedKeyring())  # type: ignore[no-untyped-call]  # keyring's
        yield
        keyring.set_keyring(before)


def _structlog_through_logging() -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    if message == _OFFSCREEN_SAYS:
        return
    name = f"qt.{context.category or 'default'}"
    logging.getLogger(name).log(_QT_LEVELS.get(kind, logging.WARNING), message)
