"""A backend in this process, for the tests of storage and services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.live_template import Template
from tests.support.workspace import House, open_house


@pytest_asyncio.fixture
async def house(live_template: Template, tmp_path: Path) -> AsyncIterator[House]:
    """Staff, courses and a root device are there; nobody follows the ledger yet."""
    async with open_house(live_template, tmp_path / "house") as opened:
        yield opened
