"""Logs: one JSON line per event, to a rotating file or to standard error.

No personal data: a failure is told by its kind and the places it went through. Its message is left
out, because the messages of libraries quote the values they failed on.
"""

from __future__ import annotations

import logging
import sys
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.types import EventDict, Processor

_FILE_BYTES = 5_000_000
_OLD_FILES = 5
_FRAMES = 20

# Their lines at INFO name addresses and paths of people who ask, at DEBUG the headers of requests.
_QUIET = (
    "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "websockets", "alembic",
    "httpx", "httpcore",
)  # fmt: skip


def configure(*, file: Path | None = None, level: int = logging.INFO) -> None:
    """Send every log line of this process to `file` (its folder is made), or to standard error."""
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(
            file, maxBytes=_FILE_BYTES, backupCount=_OLD_FILES, encoding="utf-8"
        )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        plain_failure,
    ]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def plain_failure(_: Any, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its kind and its frames (`file:line function`), innermost last."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__qualname__
        event["where"] = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        ]
    return event
