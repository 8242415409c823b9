"""What the tests of the web part share."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.live_backend import LiveBackend, http_client


@pytest.fixture
def http(live_backend: LiveBackend) -> Iterator[httpx.Client]:
    """A client without any session."""
    with http_client(live_backend.url) as client:
        yield client
