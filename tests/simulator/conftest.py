"""A stage for the worlds of these tests, one per process of the run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulator.play import Stage
from tests.simulator.run import open_stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    with open_stage() as opened:
        yield opened
