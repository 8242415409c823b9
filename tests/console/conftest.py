"""Window tests run on qasync."""

from tests.support.qt_loop import pytest_asyncio_loop_factories, window_application

__all__ = ["pytest_asyncio_loop_factories", "window_application"]
