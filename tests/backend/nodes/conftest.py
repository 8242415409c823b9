"""Two backends in this process, each with everything of its own, on one PostgreSQL database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from core.backend.services.realtime import SyncLimits
from tests.support.live_template import Template
from tests.support.workspace import House, open_house, open_node

# No poll within a test: what comes, comes by LISTEN/NOTIFY.
NEVER_POLLS = SyncLimits(poll_seconds=600, checkpoint_seconds=0)


@dataclass(frozen=True)
class Nodes:
    first: House
    second: House


@pytest.fixture
def database() -> str:
    return "postgresql"


@pytest_asyncio.fixture
async def nodes(live_template: Template, tmp_path: Path) -> AsyncIterator[Nodes]:
    """Both follow the ledger, and poll all the time."""
    async with (
        open_house(live_template, tmp_path / "first") as first,
        open_node(first, tmp_path / "second") as second,
    ):
        await first.services.start()
        await second.services.start()
        yield Nodes(first, second)


@pytest_asyncio.fixture
async def patient(live_template: Template, tmp_path: Path) -> AsyncIterator[Nodes]:
    """Both follow the ledger, and hear of each other by notifications only."""
    async with (
        open_house(live_template, tmp_path / "first", sync_limits=NEVER_POLLS) as first,
        open_node(first, tmp_path / "second", sync_limits=NEVER_POLLS) as second,
    ):
        await first.services.start()
        await second.services.start()
        yield Nodes(first, second)
