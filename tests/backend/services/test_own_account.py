"""One's own password and sessions, staff and students alike."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
from uuid_utils.compat import uuid7

from core.backend.services.errors import (
    ConflictError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
    ServiceError,
    SignInNeededError,
    SignInRefusedError,
    TooManyGuessesError,
)
from core.backend.services.identities import StaffIdentity, StudentSession
from core.domain.roles import Role
from core.protocol.messages import NewUser, PasswordChange, Refresh, Session, SignIn, SignUp
from tests.support.live_template import PASSWORD
from tests.support.workspace import STUDENT_PASSWORD, House

NEW = "another long password"
CHANGE = PasswordChange(old_password=PASSWORD, new_password=NEW)
STUDENT_CHANGE = PasswordChange(old_password=STUDENT_PASSWORD, new_password=NEW)
EMAIL = "lerato@mail.example"


async def _staff(house: House, label: str = "", password: str = PASSWORD) -> Session:
    body = SignIn(email=house.template.staff[Role.OFFICER][0].email, password=password)
    return await house.services.accounts.staff_sign_in(body, address="192.0.2.1", label=label)


async def _who(house: House, session: Session) -> StaffIdentity:
    return await house.services.accounts.staff_identity(session.access_token)


async def _student(house: House, label: str = "") -> StudentSession:
    body = SignUp(name="Lerato Khumalo", email=EMAIL, password=STUDENT_PASSWORD)
    return await house.services.accounts.student_sign_up(body, address="192.0.2.2", label=label)


async def _student_again(house: House, password: str = STUDENT_PASSWORD) -> StudentSession:
    body = SignIn(email=EMAIL, password=password)
    return await house.services.accounts.student_sign_in(body, address="192.0.2.2")


async def _refusal(attempt: Awaitable[None]) -> type[ServiceError] | None:
    """What kind of refusal it was, None where it went well."""
    try:
        await attempt
    except ServiceError as error:
        return type(error)
    return None


async def test_a_changed_password_ends_the_other_sessions(house: House) -> None:
    mine, other = await _staff(house), await _staff(house)
    who = await _who(house, mine)
    before = house.size()
    await house.services.own_account.change_staff_password(who, CHANGE)
    assert house.size() == before + 1
    leaf = house.leaves()[-1]
    assert (leaf.action, leaf.facts) == ("user.password_changed", {"by": "self"})
    await _who(house, mine)
    with pytest.raises(SignInNeededError):
        await _who(house, other)
    with pytest.raises(SignInNeededError):
        await house.services.accounts.staff_refresh(Refresh(refresh_token=other.refresh_token))
    with pytest.raises(SignInRefusedError):
        await _staff(house)
    assert (await _staff(house, password=NEW)).user.id == who.user
    house.verify()


async def test_the_old_password_is_needed_and_guessing_it_is_slow(house: House) -> None:
    who = await _who(house, await _staff(house))
    wrong = PasswordChange(old_password="not the old one", new_password=NEW)
    before = house.size()
    with pytest.raises(NotAllowedError, match="old password"):
        await house.services.own_account.change_staff_password(who, wrong)
    same = PasswordChange(old_password=PASSWORD, new_password=PASSWORD)
    with pytest.raises(InvalidError, match="another"):
        await house.services.own_account.change_staff_password(who, same)
    change = house.services.own_account.change_staff_password
    refused = [await _refusal(change(who, wrong)) for _ in range(10)]
    assert refused[0] is NotAllowedError
    assert refused[-1] is TooManyGuessesError
    assert house.size() == before


async def test_a_first_password_is_changed_and_then_it_is_ones_own(house: House) -> None:
    administrator = await house.administrator()
    body = NewUser(name="Sipho", email="sipho@college.example", roles=(Role.OFFICER,))
    added = await house.services.users.add(administrator.asking("add-sipho"), body)
    assert added.password is not None
    sign_in = SignIn(email=body.email, password=added.password)
    session = await house.services.accounts.staff_sign_in(sign_in, address="192.0.2.3")
    who = await _who(house, session)
    assert who.must_change_password
    change = PasswordChange(old_password=added.password, new_password=NEW)
    await house.services.own_account.change_staff_password(who, change)
    assert not (await _who(house, session)).must_change_password


@pytest.mark.both_engines
async def test_ones_own_sessions_are_seen_and_ended(house: House) -> None:
    own = house.services.own_account
    first = await _staff(house, "Bursar console on Windows")
    house.clock.advance(minutes=5)
    second = await _staff(house, "Bursar console on Linux")
    who = await _who(house, second)
    newest, oldest = (await own.staff_sessions(who)).sessions
    assert (newest.device, newest.current) == ("Bursar console on Linux", True)
    assert (oldest.device, oldest.current) == ("Bursar console on Windows", False)
    began = oldest.created_at
    house.clock.advance(minutes=5)
    refreshed = await house.services.accounts.staff_refresh(
        Refresh(refresh_token=first.refresh_token)
    )
    listed = {row.id: row for row in (await own.staff_sessions(who)).sessions}
    assert len(listed) == 2  # the same session, seen again
    again = listed[oldest.id]
    assert (again.created_at, again.seen_at) == (began, house.clock.now)
    await own.end_staff_session(who, oldest.id)
    with pytest.raises(SignInNeededError):
        await _who(house, refreshed)
    for unknown in (oldest.id, uuid7()):
        with pytest.raises(NotFoundError):
            await own.end_staff_session(who, unknown)


async def test_nobody_ends_a_session_that_is_not_theirs(house: House) -> None:
    who = await _who(house, await _staff(house))
    administrator = await house.administrator()
    with pytest.raises(NotFoundError):
        await house.services.own_account.end_staff_session(who, administrator.family)
    await house.services.own_account.end_other_staff_sessions(who)
    assert (await house.services.users.sessions(administrator.user)).sessions


async def test_a_session_that_ran_out_is_not_listed(house: House) -> None:
    await _staff(house)
    house.clock.advance(days=31)
    who = await _who(house, await _staff(house))
    assert len((await house.services.own_account.staff_sessions(who)).sessions) == 1


@pytest.mark.both_engines
async def test_a_students_password_and_other_browsers(house: House) -> None:
    own, accounts = house.services.own_account, house.services.accounts
    first, second = await _student(house, "Firefox on Windows"), await _student_again(house)
    listed = (await own.student_sessions(second.identity)).sessions
    assert {(row.device, row.current) for row in listed} == {
        ("Firefox on Windows", False), ("", True),
    }  # fmt: skip
    wrong = PasswordChange(old_password="not the old one", new_password=NEW)
    with pytest.raises(NotAllowedError):
        await own.change_student_password(second.identity, wrong)
    await own.change_student_password(second.identity, STUDENT_CHANGE)
    assert house.leaves()[-1].action == "student.password_changed"
    with pytest.raises(SignInNeededError):
        await accounts.student_identity(first.token)
    await accounts.student_identity(second.token)
    with pytest.raises(SignInRefusedError):
        await _student_again(house)
    assert (await _student_again(house, NEW)).identity.student == second.identity.student
    house.verify()


async def test_a_student_ends_sessions_of_their_own_only(house: House) -> None:
    own, accounts = house.services.own_account, house.services.accounts
    first, second = await _student(house), await _student_again(house)
    stranger = await house.student()
    with pytest.raises(NotFoundError):
        await own.end_student_session(stranger, first.identity.session)
    await own.end_student_session(second.identity, first.identity.session)
    with pytest.raises(SignInNeededError):
        await accounts.student_identity(first.token)
    with pytest.raises(NotFoundError):
        await own.end_student_session(second.identity, first.identity.session)
    third = await _student_again(house)
    await own.end_other_student_sessions(third.identity)
    with pytest.raises(SignInNeededError):
        await accounts.student_identity(second.token)
    assert len((await own.student_sessions(third.identity)).sessions) == 1


async def test_a_students_session_is_seen_every_few_minutes(house: House) -> None:
    session = await _student(house)
    for minutes, lag in ((4, 4), (2, 0)):
        house.clock.advance(minutes=minutes)
        await house.services.accounts.student_identity(session.token)
        (row,) = (await house.services.own_account.student_sessions(session.identity)).sessions
        assert (house.clock.now - row.seen_at).total_seconds() == lag * 60


async def test_signing_up_does_not_say_who_has_an_account(house: House) -> None:
    await _student(house)
    with pytest.raises(ConflictError) as refused:
        await _student(house)
    assert refused.value.code == "sign_up_refused"
    assert "exists" not in refused.value.message
    assert EMAIL not in refused.value.message


async def test_trying_out_who_has_an_account_is_slow(house: House) -> None:
    """From one address, and for one email from many."""
    accounts = house.services.accounts

    async def sign_up(number: int, email: str, address: str) -> None:
        body = SignUp(name=f"S {number}", email=email, password=STUDENT_PASSWORD)
        await accounts.student_sign_up(body, address=address)

    made = [
        await _refusal(sign_up(number, f"s{number}@mail.example", "192.0.2.9"))
        for number in range(40)
    ]
    assert (made[0], made[-1]) == (None, TooManyGuessesError)
    await sign_up(0, EMAIL, "192.0.2.10")
    refused = [
        await _refusal(sign_up(number, EMAIL, f"198.51.100.{number}")) for number in range(10)
    ]
    assert (refused[0], refused[-1]) == (ConflictError, TooManyGuessesError)
