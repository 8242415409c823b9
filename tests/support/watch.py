"""What the guards saw: every unexpected warning of a test lands in one list."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

ExpectedLogs = Callable[[str], AbstractContextManager[list[str]]]
"""`expected_logs(pattern)` gives a context that yields the lines that matched so far."""


@dataclass(frozen=True)
class _Expectation:
    pattern: re.Pattern[str]
    seen: list[str] = field(default_factory=list)


class Watch:
    """Collects problems in plain words; `take()` hands them over and starts anew."""

    def __init__(self) -> None:
        self._problems: list[str] = []
        self._expectations: list[_Expectation] = []

    def problem(self, text: str) -> None:
        """Note something that must fail the running test."""
        self._problems.append(text)

    def take(self) -> list[str]:
        """The problems since the last call."""
        taken, self._problems = self._problems, []
        return taken

    def log_record(self, record: logging.LogRecord) -> None:
        """Note a log record at WARNING or above, unless the test said that it expects it."""
        line = f"{record.name}: {record.levelname}: {record.getMessage()}"
        for expectation in self._expectations:
            if expectation.pattern.search(line):
                expectation.seen.append(line)
                return
        self.problem(f"unexpected log: {line}")

    def loop_error(self, context: Mapping[str, Any]) -> None:
        """Note an error that a loop could give to nobody; takes an exception handler's context."""
        message = context.get("message", "error in an event loop")
        error = context.get("exception")
        self.problem(f"lost task error: {message}: {error!r} {context.get('task', '')}".rstrip())

    @contextmanager
    def expected(self, pattern: str) -> Iterator[list[str]]:
        """Allow log lines `logger: LEVEL: message` that match `pattern`; fail if none came."""
        expectation = _Expectation(re.compile(pattern))
        self._expectations.append(expectation)
        try:
            yield expectation.seen
        finally:
            self._expectations.remove(expectation)
        if not expectation.seen:
            pytest.fail(f"expected a log line matching {pattern!r}; none came", pytrace=False)
