"""The staff, managed by an administrator: each change one entry, and always somebody left."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from core.backend.services.errors import (
    AccountDisabledError,
    ConflictError,
    NotAllowedError,
    NotFoundError,
    ServiceError,
    SignInNeededError,
    SignInRefusedError,
)
from core.backend.services.identities import Asker, StaffIdentity
from core.domain.roles import Role
from core.ledger.leaf import Leaf
from core.protocol.messages import NewUser, Refresh, Session, SignIn
from tests.support.live_template import PASSWORD, sign_in
from tests.support.workspace import House

OFFICER = frozenset({Role.OFFICER})
ADMIN = frozenset({Role.ADMINISTRATOR})
NEW = NewUser(name="Sipho Ndlovu", email="Sipho@College.example", roles=(Role.OFFICER,))


def _asks(identity: StaffIdentity) -> Asker:
    return identity.asking(str(uuid7()))


def _id(house: House, role: Role) -> UUID:
    return house.template.staff[role][0].id


async def _sign_in(house: House, email: str, password: str) -> Session:
    body = SignIn(email=email, password=password)
    return await house.services.accounts.staff_sign_in(body, address="192.0.2.7")


def _last(house: House, action: str) -> Leaf:
    leaf = house.leaves()[-1]
    assert leaf.action == action
    return leaf


@pytest.mark.both_engines
async def test_somebody_new_gets_a_password_that_is_shown_once(house: House) -> None:
    asks = _asks(await house.administrator())
    before = house.size()
    added = await house.services.users.add(asks, NEW)
    assert added.password is not None
    assert len(added.password) >= 20
    assert added.user.email == "sipho@college.example"
    assert added.user.must_change_password
    assert house.size() == before + 1
    again = await house.services.users.add(asks, NEW)
    assert (again.user, again.password) == (added.user, None)
    assert house.size() == before + 1
    session = await _sign_in(house, NEW.email, added.password)
    assert session.user.must_change_password
    leaf = _last(house, "user.added")
    assert leaf.actor.startswith("user:")
    house.verify()


async def test_a_password_that_was_given_is_not_repeated(house: House) -> None:
    body = NEW.model_copy(update={"password": "given by the administrator"})
    added = await house.services.users.add(_asks(await house.administrator()), body)
    assert added.password is None
    assert (await _sign_in(house, NEW.email, "given by the administrator")).user.id == added.user.id


async def test_an_email_is_taken_once_and_a_key_is_for_one_thing(house: House) -> None:
    administrator = await house.administrator()
    asks = _asks(administrator)
    await house.services.users.add(asks, NEW)
    with pytest.raises(ConflictError, match="email"):
        await house.services.users.add(_asks(administrator), NEW)
    with pytest.raises(ConflictError, match="key"):
        await house.services.users.add(asks, NEW.model_copy(update={"name": "Other"}))


async def test_roles_count_at_once(house: House) -> None:
    officer = await house.officer()
    asks = _asks(await house.administrator())
    user = officer.identity.user
    member = await house.services.users.set_roles(asks, user, frozenset({Role.SUPERVISOR}))
    assert member.roles == (Role.SUPERVISOR,)
    leaf = _last(house, "user.roles_changed")
    assert leaf.facts == {"roles": ["supervisor"], "were": ["officer"]}
    token = officer.device.session.access_token
    now = await house.services.accounts.staff_identity(token)
    assert now.roles == frozenset({Role.SUPERVISOR})
    house.verify()


async def test_whoever_is_disabled_is_out_until_they_sign_in_anew(house: House) -> None:
    officer = await house.officer()
    administrator = await house.administrator()
    users, user = house.services.users, officer.identity.user
    member = await users.set_disabled(_asks(administrator), user, disabled=True)
    assert (member.disabled, member.sessions) == (True, 0)
    _last(house, "user.disabled")
    session = officer.device.session
    with pytest.raises(AccountDisabledError):
        await house.services.accounts.staff_identity(session.access_token)
    with pytest.raises(AccountDisabledError):
        await house.services.accounts.staff_refresh(Refresh(refresh_token=session.refresh_token))
    with pytest.raises(AccountDisabledError):
        await _sign_in(house, member.email, PASSWORD)
    with pytest.raises(ConflictError, match="already"):
        await users.set_disabled(_asks(administrator), user, disabled=True)
    await users.set_disabled(_asks(administrator), user, disabled=False)
    _last(house, "user.enabled")
    # The old session stays over; its holder proves again who they are.
    with pytest.raises(SignInNeededError):
        await house.services.accounts.staff_refresh(Refresh(refresh_token=session.refresh_token))
    assert (await _sign_in(house, member.email, PASSWORD)).user.id == user
    with pytest.raises(ConflictError):
        await users.set_disabled(_asks(administrator), user, disabled=False)
    house.verify()


async def test_the_last_administrator_stays(house: House) -> None:
    administrator = await house.administrator()
    users, before = house.services.users, house.size()
    for asks in (_asks(administrator), users.by_system()):
        with pytest.raises(ConflictError, match="last administrator"):
            await users.set_disabled(asks, administrator.user, disabled=True)
    with pytest.raises(ConflictError, match="last administrator"):
        await users.set_roles(_asks(administrator), administrator.user, OFFICER)
    assert house.size() == before
    await users.set_roles(_asks(administrator), _id(house, Role.SUPERVISOR), ADMIN)
    await users.set_disabled(_asks(administrator), administrator.user, disabled=True)


@pytest.mark.both_engines
async def test_two_administrators_cannot_disable_each_other_at_once(house: House) -> None:
    first, users = await house.administrator(), house.services.users
    await users.set_roles(_asks(first), _id(house, Role.SUPERVISOR), ADMIN)
    session = await sign_in(house.services, house.template.staff[Role.SUPERVISOR][0])
    second = await house.services.accounts.staff_identity(session.access_token)
    results = await asyncio.gather(
        users.set_disabled(_asks(first), second.user, disabled=True),
        users.set_disabled(_asks(second), first.user, disabled=True),
        return_exceptions=True,
    )
    assert sum(isinstance(result, ServiceError) for result in results) == 1
    left = [u for u in (await users.list()).users if Role.ADMINISTRATOR in u.roles]
    assert sum(not user.disabled for user in left) == 1


async def test_a_forgotten_password_is_replaced_and_every_session_ends(house: House) -> None:
    officer = await house.officer()
    asks = _asks(await house.administrator())
    users, user = house.services.users, officer.identity.user
    answer = await users.reset_password(asks, user, None)
    assert answer.password is not None
    assert answer.user.must_change_password
    assert (await users.reset_password(asks, user, None)).password is None
    with pytest.raises(SignInNeededError):
        await house.services.accounts.staff_identity(officer.device.session.access_token)
    with pytest.raises(SignInRefusedError):
        await _sign_in(house, answer.user.email, PASSWORD)
    assert (await _sign_in(house, answer.user.email, answer.password)).user.id == user
    assert _last(house, "user.password_changed").facts == {"by": "administrator"}


async def test_nobody_resets_their_own_password(house: House) -> None:
    administrator = await house.administrator()
    with pytest.raises(ConflictError, match="old one"):
        await house.services.users.reset_password(
            _asks(administrator), administrator.user, "a long password"
        )


async def test_who_is_not_there_is_not_found(house: House) -> None:
    administrator, users = await house.administrator(), house.services.users
    nobody = uuid7()
    for attempt in (
        users.get(nobody),
        users.sessions(nobody),
        users.find("nobody@college.example"),
        users.set_roles(_asks(administrator), nobody, OFFICER),
        users.set_disabled(_asks(administrator), nobody, disabled=True),
        users.reset_password(_asks(administrator), nobody, "a long password"),
        users.end_sessions(administrator, nobody, session=None, key="end-them"),
        users.end_sessions(administrator, administrator.user, session=nobody, key="end-one"),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_only_an_administrator_who_still_is_one_changes_anything(house: House) -> None:
    officer, users = await house.officer(), house.services.users
    user, before = _id(house, Role.SUPERVISOR), house.size()
    with pytest.raises(NotAllowedError):
        await users.set_disabled(_asks(officer.identity), user, disabled=True)
    administrator = await house.administrator()
    await house.services.accounts.staff_sign_out(administrator)
    with pytest.raises(SignInNeededError):
        await users.set_disabled(_asks(administrator), user, disabled=True)
    # Somebody else's session under an administrator's name.
    borrowed = Asker(administrator.actor, officer.identity.session, "borrowed-session")
    with pytest.raises(SignInNeededError):
        await users.set_disabled(borrowed, user, disabled=True)
    assert house.size() == before


async def test_an_administrator_sees_and_ends_sessions(house: House) -> None:
    officer, administrator = await house.officer(), await house.administrator()
    other = await sign_in(house.services, house.template.staff[Role.OFFICER][0])
    users, user = house.services.users, officer.identity.user
    listed = (await users.sessions(user)).sessions
    assert len(listed) == 2
    await users.end_sessions(
        administrator, user, session=officer.identity.family, key="end-one-of-them"
    )
    assert _last(house, "user.sessions_ended").facts == {"all": False}
    with pytest.raises(SignInNeededError):
        await house.services.accounts.staff_identity(officer.device.session.access_token)
    await house.services.accounts.staff_identity(other.access_token)
    await users.end_sessions(administrator, user, session=None, key="end-all-of-them")
    with pytest.raises(SignInNeededError):
        await house.services.accounts.staff_identity(other.access_token)
    # Of oneself: all but the one that asks.
    await users.end_sessions(administrator, administrator.user, session=None, key="end-my-own")
    assert [row.id for row in (await users.sessions(administrator.user)).sessions] == [
        administrator.family
    ]
    house.verify()


@pytest.mark.both_engines
async def test_the_list_counts_devices_and_sessions(house: House) -> None:
    officer = await house.officer()
    found = {user.id: user for user in (await house.services.users.list()).users}
    member = found[officer.identity.user]
    assert (member.devices, member.sessions) == (1, 1)
    assert member.seen_at == house.clock.now
    assert found[_id(house, Role.SUPERVISOR)].seen_at is None
    names = [user.name for user in (await house.services.users.list()).users]
    assert names == sorted(names)
