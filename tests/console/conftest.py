"""Window tests run on qasync."""

from tests.console.fixtures import opened, theme
from tests.support.qt_loop import pytest_asyncio_loop_factories, window_application

__all__ = ["opened", "pytest_asyncio_loop_factories", "theme", "window_application"]
