"""Log lines: JSON, and nothing in them that a person or a token could be known by."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from core.backend.logging import configure
from tests.support.watch import ExpectedLogs


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    file = tmp_path / "logs" / "backend.log"
    configure(file=file)
    yield file
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_is_json_with_time_and_level(log_file: Path) -> None:
    structlog.get_logger("part").info("something happened", count=3)
    line = json.loads(log_file.read_text())
    assert line["event"] == "something happened"
    assert line["count"] == 3
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


def test_a_failure_is_told_by_its_kind_and_place_only(
    log_file: Path, expected_logs: ExpectedLogs
) -> None:
    def failing() -> None:
        raise ValueError("thandi@college.example")

    with expected_logs("it failed"):
        try:
            failing()
        except ValueError:
            structlog.get_logger("part").exception("it failed")
            logging.getLogger("library").exception("it failed")
    for text in log_file.read_text().splitlines():
        line = json.loads(text)
        assert line["error"] == "ValueError"
        assert line["where"][-1].endswith(" failing")
        assert "thandi" not in text


def test_libraries_that_name_addresses_are_quiet(log_file: Path) -> None:
    logging.getLogger("uvicorn.error").info('127.0.0.1 - "WebSocket /live" [accepted]')
    logging.getLogger("uvicorn.access").info("127.0.0.1 GET /")
    assert log_file.read_text() == ""


def test_requests_to_the_card_provider_leave_no_line(log_file: Path) -> None:
    for name in ("httpx", "httpcore.connection", "httpcore.http11"):
        logging.getLogger(name).info("HTTP Request: POST with its headers")
    logging.getLogger("core").info("our own line")
    assert [json.loads(line)["event"] for line in log_file.read_text().splitlines()] == [
        "our own line"
    ]
