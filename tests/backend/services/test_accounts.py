"""Sign-in, token rotation, reuse detection, and guessing slowed down."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.backend.services.errors import (
    AccountDisabledError,
    ConflictError,
    NotFoundError,
    SignInNeededError,
    SignInRefusedError,
    TooManyGuessesError,
)
from core.backend.storage.engine import write_transaction
from core.backend.storage.tables import users
from core.domain.roles import Role
from core.protocol.messages import EmbeddedClaim, Refresh, Session, SignIn, SignUp
from tests.support.live_template import PASSWORD, Template, sign_in
from tests.support.workspace import STUDENT_PASSWORD, House, open_house

ADDRESS = "192.0.2.1"


def _body(email: str, password: str = PASSWORD) -> SignIn:
    return SignIn(email=email, password=password)


async def _session(house: House) -> Session:
    return await sign_in(house.services, house.template.staff[Role.OFFICER][0])


async def _refreshed(house: House, session: Session) -> Session:
    return await house.services.accounts.staff_refresh(Refresh(refresh_token=session.refresh_token))


async def test_a_session_says_who_and_until_when(house: House) -> None:
    session = await _session(house)
    identity = await house.services.accounts.staff_identity(session.access_token)
    assert (identity.name, identity.roles) == ("Thandi Mokoena", frozenset({Role.OFFICER}))
    assert session.user.id == identity.user
    house.clock.advance(minutes=14)
    await house.services.accounts.staff_identity(session.access_token)
    house.clock.advance(minutes=1)
    with pytest.raises(SignInNeededError):
        await house.services.accounts.staff_identity(session.access_token)


@pytest.mark.parametrize(
    ("email", "password"),
    [("thandi@college.example", "wrong password"), ("nobody@college.example", PASSWORD)],
)
async def test_a_wrong_password_and_a_wrong_email_are_told_alike(
    house: House, email: str, password: str
) -> None:
    with pytest.raises(SignInRefusedError, match="Email or password is wrong"):
        await house.services.accounts.staff_sign_in(_body(email, password), address=ADDRESS)


async def test_an_email_is_found_whatever_its_case(house: House) -> None:
    body = _body(" Thandi@College.EXAMPLE".strip())
    assert (await house.services.accounts.staff_sign_in(body, address=ADDRESS)).user.name


async def test_refreshing_gives_new_tokens_and_spends_the_old(house: House) -> None:
    first = await _session(house)
    house.clock.advance(minutes=20)
    second = await _refreshed(house, first)
    assert second.refresh_token != first.refresh_token
    identity = await house.services.accounts.staff_identity(second.access_token)
    assert identity.user == first.user.id


async def test_a_spent_refresh_token_ends_the_whole_family(house: House) -> None:
    first = await _session(house)
    second = await _refreshed(house, first)
    other = await _session(house)
    with pytest.raises(SignInNeededError):
        await _refreshed(house, first)
    for token in (first, second):
        with pytest.raises(SignInNeededError):
            await house.services.accounts.staff_identity(token.access_token)
    with pytest.raises(SignInNeededError):
        await _refreshed(house, second)
    # Another sign-in of the same person is another family.
    identity = await house.services.accounts.staff_identity(other.access_token)
    assert identity.user == other.user.id


async def test_of_many_who_refresh_at_once_none_keeps_a_stolen_family(house: House) -> None:
    session = await _session(house)
    results = await asyncio.gather(
        *(_refreshed(house, session) for _ in range(5)), return_exceptions=True
    )
    assert any(isinstance(result, SignInNeededError) for result in results)
    for result in results:
        if isinstance(result, Session):
            with pytest.raises(SignInNeededError):
                await house.services.accounts.staff_identity(result.access_token)


async def test_a_refresh_token_ends_after_thirty_days(house: House) -> None:
    session = await _session(house)
    house.clock.advance(days=30)
    with pytest.raises(SignInNeededError):
        await _refreshed(house, session)


async def test_sign_out_ends_the_session_and_its_successors(house: House) -> None:
    first = await _session(house)
    identity = await house.services.accounts.staff_identity(first.access_token)
    second = await _refreshed(house, first)
    await house.services.accounts.staff_sign_out(identity)
    for session in (first, second):
        with pytest.raises(SignInNeededError):
            await house.services.accounts.staff_identity(session.access_token)
        with pytest.raises(SignInNeededError):
            await _refreshed(house, session)


async def test_a_disabled_user_is_out_at_once(house: House) -> None:
    session = await _session(house)
    with write_transaction(house.services.engine) as connection:
        mine = users.update().where(users.c.id == session.user.id)
        connection.execute(mine.values(disabled=True))
    with pytest.raises(AccountDisabledError):
        await house.services.accounts.staff_identity(session.access_token)
    for _ in range(2):  # also where the token was spent before
        with pytest.raises(AccountDisabledError):
            await _refreshed(house, session)
    with pytest.raises(AccountDisabledError, match="Ask an administrator"):
        await _session(house)


async def test_only_who_knows_the_password_hears_that_an_account_is_disabled(house: House) -> None:
    session = await _session(house)
    with write_transaction(house.services.engine) as connection:
        mine = users.update().where(users.c.id == session.user.id)
        connection.execute(mine.values(disabled=True))
    guess = SignIn(email=house.template.staff[Role.OFFICER][0].email, password="a wrong guess")
    with pytest.raises(SignInRefusedError):
        await house.services.accounts.staff_sign_in(guess, address="")
    with pytest.raises(SignInNeededError):
        await house.services.accounts.staff_identity("x" * 43)


async def test_guessing_is_slowed_down_for_known_and_unknown_alike(house: House) -> None:
    for email in ("thandi@college.example", "nobody@college.example"):
        for _ in range(5):
            with pytest.raises(SignInRefusedError):
                await house.services.accounts.staff_sign_in(_body(email, "x" * 8), address=email)
        with pytest.raises(TooManyGuessesError) as caught:
            await house.services.accounts.staff_sign_in(_body(email), address=email)
        assert caught.value.retry_after == 1
    house.clock.advance(seconds=1)
    session = await _session(house)  # the right password, after the wait
    assert session.user.name == "Thandi Mokoena"


async def test_parallel_guesses_count_too(house: House) -> None:
    async def guess(number: int) -> BaseException:
        body = _body("thandi@college.example", f"guess {number:04}")
        with pytest.raises((SignInRefusedError, TooManyGuessesError)) as caught:
            await house.services.accounts.staff_sign_in(body, address=ADDRESS)
        return caught.value

    results = await asyncio.gather(*(guess(number) for number in range(30)))
    assert sum(isinstance(result, SignInRefusedError) for result in results) == 5


async def test_one_address_cannot_try_many_accounts(house: House) -> None:
    for number in range(20):
        body = _body(f"nobody{number}@college.example")
        with pytest.raises(SignInRefusedError):
            await house.services.accounts.staff_sign_in(body, address=ADDRESS)
    with pytest.raises(TooManyGuessesError):
        await house.services.accounts.staff_sign_in(_body("new@college.example"), address=ADDRESS)


async def test_a_user_is_added_once(house: House) -> None:
    before = house.size()
    with pytest.raises(ConflictError, match="email"):
        await house.services.accounts.add_user(
            email="THANDI@college.example", name="Somebody Else", password="long enough",
            roles=frozenset({Role.OFFICER}),
        )  # fmt: skip
    assert house.size() == before


# --- students ----------------------------------------------------------------------------------


async def test_a_student_signs_up_in_and_out(house: House) -> None:
    accounts = house.services.accounts
    body = SignUp(name="Sipho Ndlovu", email="Sipho@Mail.example", password=STUDENT_PASSWORD)
    first = await accounts.student_sign_up(body, address=ADDRESS)
    assert (await accounts.student_identity(first.token)).name == "Sipho Ndlovu"
    second = await accounts.student_sign_in(
        _body("sipho@mail.example", STUDENT_PASSWORD), address=ADDRESS
    )
    assert second.identity.student == first.identity.student
    await accounts.student_sign_out(first.token)
    with pytest.raises(SignInNeededError):
        await accounts.student_identity(first.token)
    assert (await accounts.student_identity(second.token)).session == second.identity.session
    house.clock.advance(days=30)
    with pytest.raises(SignInNeededError):
        await accounts.student_identity(second.token)


async def test_one_email_is_one_account(house: House) -> None:
    accounts = house.services.accounts
    body = SignUp(name="Sipho", email="sipho@mail.example", password=STUDENT_PASSWORD)
    results = await asyncio.gather(
        *(accounts.student_sign_up(body, address=ADDRESS) for _ in range(4)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, ConflictError) for result in results) == 3


async def test_a_students_wrong_password_is_refused(house: House) -> None:
    await house.student()
    for email in ("student1@mail.example", "nobody@mail.example"):
        body = _body(email, "wrong password")
        with pytest.raises(SignInRefusedError):
            await house.services.accounts.student_sign_in(body, address=ADDRESS)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "\u00e9" * 20])
async def test_a_token_that_is_none_is_nobody(house: House, token: str) -> None:
    with pytest.raises(SignInNeededError):
        await house.services.accounts.student_identity(token)
    with pytest.raises(SignInNeededError):
        await house.services.accounts.staff_identity(token)


# --- embedded ----------------------------------------------------------------------------------

TOKEN = "the-token-of-the-console"


async def test_the_embedded_token_is_good_once(live_template: Template, tmp_path: Path) -> None:
    async with open_house(live_template, tmp_path / "h", embedded_token=TOKEN) as house:
        accounts = house.services.accounts
        with pytest.raises(SignInRefusedError):
            await accounts.embedded_sessions(EmbeddedClaim(token="another token altogether"))
        sessions = await accounts.embedded_sessions(EmbeddedClaim(token=TOKEN))
        assert sessions.officer.user.roles == (Role.OFFICER,)
        assert sessions.administrator.user.roles == (Role.ADMINISTRATOR,)
        with pytest.raises(SignInRefusedError):
            await accounts.embedded_sessions(EmbeddedClaim(token=TOKEN))


async def test_without_a_token_there_is_no_embedded_sign_in(house: House) -> None:
    with pytest.raises(SignInRefusedError):
        await house.services.accounts.embedded_sessions(EmbeddedClaim(token=TOKEN))


async def test_an_embedded_workspace_without_staff_says_so(
    live_template: Template, tmp_path: Path
) -> None:
    async with open_house(live_template, tmp_path / "h", embedded_token=TOKEN) as house:
        with write_transaction(house.services.engine) as connection:
            connection.execute(users.update().values(disabled=True))
        with pytest.raises(NotFoundError):
            await house.services.accounts.embedded_sessions(EmbeddedClaim(token=TOKEN))
