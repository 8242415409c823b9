"""The demo workspace: clearly marked, real enough to work with, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.backend.services.container import build
from core.backend.services.demo import DEMO_DOMAIN, DEMO_NAME, STUDENT_PASSWORD, seed_demo
from core.backend.services.demo_content import COURSES, STUDENTS
from core.backend.services.errors import BusyError
from core.backend.storage.errors import DatabaseInUseError, SchemaError
from core.backend.storage.migrate import downgrade, migrate
from core.protocol.messages import EmbeddedClaim, SignIn
from tests.support.live_template import Template
from tests.support.workspace import Clock, House, house_config, open_house

TOKEN = "the-token-of-the-console"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with a migrated database and nothing in it."""
    folder = tmp_path / "demo"
    folder.mkdir()
    migrate(house_config(folder, Clock()).database_url)
    return folder


async def _check(house: House) -> None:
    workspace = await house.services.workspace.current()
    assert (workspace.name, workspace.demo) == (DEMO_NAME, True)
    assert "demo" in workspace.name.lower()
    cards = (await house.services.orchestrator.cards(None)).cards
    assert [card.title for card in cards] == [course.title for course in COURSES]
    prices = [card.price_cents for card in cards]
    assert workspace.threshold_cents is not None
    assert max(prices) >= workspace.threshold_cents > sorted(prices)[-2]
    page = await house.services.approval.pending(after=None, limit=100)
    assert len(page.rows) == sum(len(student.paid) for student in STUDENTS)
    assert all(row.student.email.endswith(DEMO_DOMAIN) for row in page.rows)
    house.verify()


async def test_it_is_filled_once(live_template: Template, empty: Path) -> None:
    async with open_house(live_template, empty, embedded_token=TOKEN) as house:
        assert await seed_demo(house.services)
        await _check(house)
        size = house.size()
        assert not await seed_demo(house.services)
        assert house.size() == size
        sessions = await house.services.accounts.embedded_sessions(EmbeddedClaim(token=TOKEN))
        assert sessions.officer.user.name == "Thandi Mokoena"
        body = SignIn(email=f"lerato.khumalo@{DEMO_DOMAIN}", password=STUDENT_PASSWORD)
        student = await house.services.accounts.student_sign_in(body, address="127.0.0.1")
        assert student.identity.name == "Lerato Khumalo"


async def test_a_filling_that_was_cut_off_goes_on(
    live_template: Template, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_house(live_template, empty) as house:
        add_course = house.services.workspace.add_course
        left = iter(range(2))

        async def fail_later(**course: object) -> object:
            if next(left, None) is None:
                raise BusyError("busy", "The backend is stopping.")
            return await add_course(**course)  # type: ignore[arg-type]  # what it was called with

        monkeypatch.setattr(house.services.workspace, "add_course", fail_later)
        with pytest.raises(BusyError):
            await seed_demo(house.services)
        workspace = await house.services.workspace.current()
        assert workspace.demo  # marked from the beginning
    async with open_house(live_template, empty) as house:
        assert await seed_demo(house.services)
        await _check(house)


async def test_one_backend_at_a_time(house: House) -> None:
    with pytest.raises(DatabaseInUseError, match="Another Bursar backend"):
        build(house.services.config)


def test_a_database_of_another_version_is_refused_and_let_go(empty: Path) -> None:
    config = house_config(empty, Clock())
    downgrade(config.database_url, "base")
    for _ in range(2):  # the lock is free again
        with pytest.raises(SchemaError, match="migrate"):
            build(config)


def test_the_configuration_shows_no_secret(empty: Path) -> None:
    config = house_config(empty, Clock(), embedded_token=TOKEN)
    shown = repr(config)
    assert TOKEN not in shown
    for secret in (config.checkpoint_seed, config.email_index_key, *config.vault_keys.values()):
        assert repr(secret) not in shown
