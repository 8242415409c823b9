"""Fixtures of the whole suite. What is heavy to import is imported by the tests that use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.live_backend import LiveBackend
    from tests.support.live_template import Template
    from tests.support.postgres import PostgresServer

ENGINES = ("sqlite", "postgresql")
_TEMPLATE = "live_template"  # the database that clones are made of


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_engines: runs on SQLite and on PostgreSQL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests run on SQLite; those that are marked `both_engines`, on PostgreSQL as well."""
    marked = metafunc.definition.get_closest_marker("both_engines") is not None
    if marked and "database" in metafunc.fixturenames:
        metafunc.parametrize("database", ENGINES)


@pytest.fixture
def database() -> str:
    """The engine of this test, one of ENGINES."""
    return "sqlite"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """This session's own server; where there are no programs for one, its tests are skipped."""
    from tests.support.postgres import (  # noqa: PLC0415 - see above
        MISSING,
        find_programs,
        private_server,
    )

    programs = find_programs()
    if programs is None:
        pytest.skip(MISSING)
    with private_server(programs) as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    from tests.support.live_template import make_template  # noqa: PLC0415 - see above

    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres_template(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Template:
    from tests.support.live_template import make_template  # noqa: PLC0415 - see above

    url = postgres.create(_TEMPLATE)
    template = make_template(tmp_path_factory.mktemp("template-postgres"), url)
    return replace(template, clone=lambda: postgres.clone(_TEMPLATE))


@pytest.fixture
def live_template(request: pytest.FixtureRequest, database: str) -> Iterator[Template]:
    """The workspace that every live backend of this test starts from, on the test's engine."""
    if database == "sqlite":
        yield request.getfixturevalue("sqlite_template")
        return
    yield request.getfixturevalue("postgres_template")
    request.getfixturevalue("postgres").drop_clones()


@pytest.fixture
def live_backend(live_template: Template, tmp_path: Path) -> Iterator[LiveBackend]:
    """Our real backend on a port of its own, fresh for this test."""
    from tests.support.live_backend import LiveBackend  # noqa: PLC0415 - see above

    backend = LiveBackend(live_template, tmp_path / "backend")
    yield backend
    backend.close()
