"""A house that is called back: in this process with a scripted provider, or over HTTP with the
sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.backend.payments.shop import open_shop
from tests.backend.webhooks.letters import KEYS
from tests.backend.webhooks.office import Office
from tests.backend.webhooks.till import Till
from tests.support.live_backend import http_client
from tests.support.live_template import Template


@pytest_asyncio.fixture
async def office(live_template: Template, tmp_path: Path) -> AsyncIterator[Office]:
    """Nobody works on callbacks unless told; the clock is moved by hand."""
    async with open_shop(
        live_template, tmp_path / "office", callback_keys=KEYS, chance=lambda: 0.5
    ) as shop:
        yield Office(shop)


@pytest.fixture
def till(live_template: Template, tmp_path: Path) -> Iterator[Till]:
    with Till(live_template, tmp_path / "till") as opened:
        yield opened


@pytest.fixture
def http(till: Till) -> Iterator[httpx.Client]:
    with http_client(till.backend.url) as client:
        yield client
