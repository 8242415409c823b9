"""One attacked backend for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backend.hostile.place import Place
from tests.support.live_backend import LiveBackend, http_client


@pytest.fixture
def place(live_backend: LiveBackend) -> Iterator[Place]:
    with http_client(live_backend.url) as http:
        yield Place(live_backend, http)
