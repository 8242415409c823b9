"""Fixtures of the whole suite. What is heavy to import is imported by the tests that use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.live_backend import LiveBackend
    from tests.support.live_template import Template


@pytest.fixture(scope="session")
def live_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The workspace that every live backend of this run starts from."""
    from tests.support.live_template import make_template  # noqa: PLC0415 - see above

    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def live_backend(live_template: Template, tmp_path: Path) -> Iterator[LiveBackend]:
    """Our real backend on a port of its own, fresh for this test."""
    from tests.support.live_backend import LiveBackend  # noqa: PLC0415 - see above

    backend = LiveBackend(live_template, tmp_path / "backend")
    yield backend
    backend.close()
