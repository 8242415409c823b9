"""What most tests of the client need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from core.client.outbox import Outbox
from core.client.sealing import Sealer
from tests.client.build import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def outbox(tmp_path: Path, clock: Clock) -> AsyncIterator[Outbox]:
    opened = await Outbox.open(tmp_path / "outbox.db", Sealer(b"k" * 32), clock)
    yield opened
    await opened.close()
