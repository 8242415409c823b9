"""One banner at a time, the gravest first."""

from __future__ import annotations

import pytest

from console.banners import BannerAction, Situation, banner_of
from core.client.connection import ConnectionState
from core.client.witness import WitnessState
from core.domain.roles import Role
from core.protocol.messages import DeviceState
from tests.console.fixtures import witness_status


def situation(
    *,
    connection: ConnectionState = ConnectionState.LIVE,
    witness: WitnessState = WitnessState.FOLLOWING,
    device: DeviceState = DeviceState.ENROLLED,
    role: Role = Role.OFFICER,
    has_root: bool = True,
    waiting: int = 0,
    as_of: str = "",
    keeps: bool = True,
    elsewhere: str = "",
) -> Situation:
    return Situation(
        connection=connection,
        message="Try later.",
        witness=witness_status(witness),
        device=device,
        fingerprint="3f9a 11c2",
        roles=frozenset({role}),
        has_root=has_root,
        waiting=waiting,
        as_of=as_of,
        keeps=keeps,
        elsewhere=elsewhere,
    )


def test_nothing_is_told_while_all_is_well() -> None:
    assert banner_of(situation()) is None


def test_the_gravest_comes_first() -> None:
    actions = []
    connection, witness = ConnectionState.SIGNED_OUT, WitnessState.FIRST_CONTACT
    device, waiting = DeviceState.WAITING, 2
    for _ in range(4):
        told = banner_of(
            situation(connection=connection, witness=witness, device=device, waiting=waiting)
        )
        assert told is not None
        actions.append(told.action)
        if connection is not ConnectionState.LIVE:
            connection = ConnectionState.LIVE
        elif witness is not WitnessState.FOLLOWING:
            witness = WitnessState.FOLLOWING
        else:
            device = DeviceState.ENROLLED
    assert actions == [
        BannerAction.SIGN_IN,
        BannerAction.ACCEPT_CONTACT,
        BannerAction.SHOW_FINGERPRINT,
        BannerAction.SHOW_REQUESTS,
    ]


@pytest.mark.parametrize(
    ("device", "role", "has_root", "action", "words"),
    [
        (DeviceState.WAITING, Role.OFFICER, True, BannerAction.SHOW_FINGERPRINT, "3f9a 11c2"),
        (DeviceState.UNKNOWN, Role.OFFICER, False, BannerAction.SHOW_FINGERPRINT, "are held"),
        (DeviceState.WAITING, Role.ADMINISTRATOR, True, BannerAction.SHOW_FINGERPRINT, "other"),
        (DeviceState.UNKNOWN, Role.ADMINISTRATOR, False, BannerAction.ENTER_CODE, "No admin"),
        (DeviceState.REFUSED, Role.OFFICER, True, BannerAction.ASK_AGAIN, "refused to enroll"),
        (DeviceState.REVOKED, Role.OFFICER, True, BannerAction.NEW_KEY, "was revoked"),
    ],
)
def test_a_console_that_may_not_sign_says_why_and_what_to_do(
    device: DeviceState, role: Role, has_root: bool, action: BannerAction, words: str
) -> None:
    told = banner_of(situation(device=device, role=role, has_root=has_root))
    assert told is not None
    assert told.action is action
    assert words in told.text


@pytest.mark.parametrize(("count", "words"), [(1, "A console waits"), (3, "3 consoles wait")])
def test_how_many_consoles_wait(count: int, words: str) -> None:
    told = banner_of(situation(waiting=count, role=Role.ADMINISTRATOR))
    assert told is not None
    assert words in told.text


def test_the_connections_own_words_are_told() -> None:
    told = banner_of(situation(connection=ConnectionState.REFUSED))
    assert told is not None
    assert (told.kind, told.text) == ("danger", "Try later.")


@pytest.mark.parametrize(
    ("keeps", "words"),
    [(True, "kept on this computer until you sign in"), (False, "are lost if you close Bursar")],
)
def test_an_ended_sign_in_says_truly_what_becomes_of_decisions(keeps: bool, words: str) -> None:
    told = banner_of(situation(connection=ConnectionState.SIGNED_OUT, keeps=keeps))
    assert told is not None
    assert words in told.text
    assert ("Nothing is kept on this computer" in told.text) is not keeps


def test_what_waits_in_another_queue_is_told_and_leads_to_the_outbox() -> None:
    told = banner_of(situation(elsewhere="3 decisions wait elsewhere.", waiting=2))
    assert told is not None
    assert (told.kind, told.text) == ("warn", "3 decisions wait elsewhere.")
    assert told.action is BannerAction.SHOW_OUTBOX
    graver = banner_of(situation(elsewhere="3 decisions.", device=DeviceState.WAITING))
    assert graver is not None
    assert graver.action is BannerAction.SHOW_FINGERPRINT


@pytest.mark.parametrize(
    ("keeps", "words"), [(True, "go out by themselves"), (False, "Nothing can be decided until")]
)
def test_an_old_list_says_how_old_and_what_becomes_of_decisions(keeps: bool, words: str) -> None:
    told = banner_of(
        situation(
            connection=ConnectionState.LOST,
            device=DeviceState.WAITING,
            as_of="14:02",
            keeps=keeps,
        )
    )
    assert told is not None
    assert told.text.startswith("Offline. Showing the list as of 14:02. ")
    assert words in told.text
    assert told.action is BannerAction.RETRY
