"""One shop for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.backend.payments.shop import Shop, open_shop
from tests.support.live_template import Template


@pytest_asyncio.fixture
async def shop(live_template: Template, tmp_path: Path) -> AsyncIterator[Shop]:
    """Students can pay by card and by EFT; nobody sweeps unless told."""
    async with open_shop(live_template, tmp_path / "shop") as opened:
        yield opened
