"""The administration's routes, each asked of our real backend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from core.client.api import Api
from core.client.api_admin import AccountApi, AdminApi
from core.client.errors import ProblemError
from core.client.http import open_http
from core.client.secrets import MemoryStore
from core.client.session import SessionKeeper
from core.domain.roles import Role
from tests.support.live_backend import LiveBackend
from tests.support.live_template import PASSWORD


async def signed_in(backend: LiveBackend, email: str, password: str = PASSWORD) -> Api:
    api = Api(open_http(backend.url), SessionKeeper(MemoryStore(), "test"))
    await api.sign_in(email, password)
    return api


async def close(*apis: Api) -> None:
    for api in apis:
        await api.aclose()


@pytest_asyncio.fixture
async def api(live_backend: LiveBackend) -> AsyncIterator[Api]:
    """The administrator's."""
    made = await signed_in(live_backend, live_backend.person(Role.ADMINISTRATOR).email)
    yield made
    await close(made)


@pytest.fixture
def admin(api: Api) -> AdminApi:
    return AdminApi(api, uuid7)


async def test_a_user_from_the_first_password_to_the_last_session(
    admin: AdminApi, live_backend: LiveBackend
) -> None:
    made = await admin.add_user(name="Lerato Nkosi", email="lerato@x.example", roles=[Role.OFFICER])
    assert made.password is not None
    assert made.user.must_change_password
    theirs = await signed_in(live_backend, "lerato@x.example", made.password)
    with pytest.raises(ProblemError) as refused:
        await theirs.workspace()
    assert refused.value.problem.type.endswith("password-change-needed")
    account = AccountApi(theirs)
    await account.change_password(made.password, "a password of my own")
    assert (await theirs.workspace()).name == "Test College"
    other = await signed_in(live_backend, "lerato@x.example", "a password of my own")
    assert [one.current for one in await account.sessions()].count(True) == 1
    await account.end_other_sessions()
    assert len(await account.sessions()) == 1
    (session,) = await admin.sessions_of(made.user.id)
    await admin.end_session_of(made.user.id, session.id)
    assert await admin.sessions_of(made.user.id) == ()
    await close(theirs, other)


async def test_roles_access_and_passwords_of_others(
    admin: AdminApi, live_backend: LiveBackend
) -> None:
    officer = live_backend.person(Role.OFFICER)
    changed = await admin.set_roles(officer.id, [Role.OFFICER, Role.SUPERVISOR])
    assert set(changed.roles) == {Role.OFFICER, Role.SUPERVISOR}
    assert (await admin.disable_user(officer.id)).disabled
    assert not (await admin.enable_user(officer.id)).disabled
    fresh = await admin.new_password(officer.id)
    assert fresh.password is not None
    api = await signed_in(live_backend, officer.email, fresh.password)
    await admin.end_sessions_of(officer.id)
    assert await admin.sessions_of(officer.id) == ()
    assert officer.id in {user.id for user in await admin.users()}
    await close(api)


async def test_the_last_administrator_stays(admin: AdminApi, live_backend: LiveBackend) -> None:
    me = live_backend.person(Role.ADMINISTRATOR).id
    with pytest.raises(ProblemError) as refused:
        await admin.set_roles(me, [Role.OFFICER])
    assert refused.value.problem.status == 409
    assert "administrator" in str(refused.value)


async def test_courses(admin: AdminApi) -> None:
    made = await admin.add_course(title="Payroll", summary="", price_cents=100_000)
    changed = await admin.change_course(
        made.id, title="Payroll in Practice", summary="Step by step.", price_cents=149_950
    )
    assert (changed.title, changed.price_cents) == ("Payroll in Practice", 149_950)
    assert (await admin.retire_course(made.id)).retired
    assert not (await admin.reopen_course(made.id)).retired
    assert made.id in {course.id for course in await admin.courses()}


async def test_the_workspace(admin: AdminApi) -> None:
    settings = await admin.workspace_settings()
    changed = settings.model_copy(update={"threshold_cents": None, "name": "Another College"})
    assert await admin.set_workspace(changed) == changed
    assert await admin.workspace_settings() == changed


async def test_what_was_typed_wrongly_is_refused_before_it_is_sent(
    admin: AdminApi, live_backend: LiveBackend
) -> None:
    with live_backend.offline(), pytest.raises(ProblemError) as refused:
        await admin.add_user(name="", email="nobody", roles=[])
    assert str(refused.value) == "Please check: email, name, roles."


async def test_an_officer_is_refused(live_backend: LiveBackend) -> None:
    api = await signed_in(live_backend, live_backend.person(Role.OFFICER).email)
    with pytest.raises(ProblemError) as refused:
        await AdminApi(api, uuid7).users()
    assert refused.value.problem.status == 403
    with pytest.raises(ProblemError):
        await AdminApi(api, uuid7).refuse_device(UUID(int=1))
    await close(api)
