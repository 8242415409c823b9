"""Ways around the delay after wrong passwords, over HTTP: none of them leads anywhere."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from starlette.requests import HTTPConnection

from core.backend.services.accounts import FREE_TRIES, FREE_TRIES_OF_ADDRESS
from core.backend.web.auth import address_of
from core.domain.roles import Role
from tests.backend.hostile.place import Place
from tests.backend.web.asking import problem
from tests.support.live_template import PASSWORD

_DOORS = ("/api/staff/sign-in", "/api/student/sign-in")
_WRONG = "not the password"


def _guess(
    place: Place, door: str, email: str, password: str = _WRONG, **headers: str
) -> httpx.Response:
    body = {"email": email, "password": password}
    sent: Mapping[str, str] = {"Origin": place.backend.url, **headers}
    return place.http.post(door, json=body, headers=sent)


def _email(place: Place, door: str) -> str:
    staff = place.backend.person(Role.SUPERVISOR).email
    return staff if "staff" in door else place.owner.email


@pytest.mark.parametrize("door", _DOORS)
def test_another_spelling_is_the_same_account(place: Place, door: str) -> None:
    email = _email(place, door)
    spellings = [email, email.upper(), email.title(), email.swapcase(), email.lower()]
    for number in range(FREE_TRIES):
        problem(_guess(place, door, spellings[number]), 401, "sign-in-refused")
    refused = _guess(place, door, email.upper(), PASSWORD)
    problem(refused, 429, "too-many-guesses")
    assert int(refused.headers["retry-after"]) >= 1


@pytest.mark.parametrize("door", _DOORS)
def test_nobody_chooses_the_address_they_come_from(place: Place, door: str) -> None:
    """No proxy is trusted here: what a client says of itself does not count."""
    for number in range(FREE_TRIES_OF_ADDRESS):
        forged = dict.fromkeys(("X-Forwarded-For", "X-Real-IP"), f"10.0.0.{number}")
        answer = _guess(place, door, f"nobody{number}@mail.example", **forged)
        problem(answer, 401, "sign-in-refused")
    forged = {"X-Forwarded-For": "10.9.9.9", "Forwarded": "for=10.9.9.9"}
    problem(_guess(place, door, _email(place, door), **forged), 429, "too-many-guesses")


def test_an_account_of_ones_own_does_not_pay_for_guesses_at_others(place: Place) -> None:
    answers = []
    for number in range(FREE_TRIES_OF_ADDRESS + 1):
        answers.append(_guess(place, _DOORS[1], f"victim{number}@mail.example").status_code)
        _guess(place, _DOORS[1], place.other.email, place.other.password)
    assert answers == [401] * FREE_TRIES_OF_ADDRESS + [429]


def test_whoever_has_to_wait_locks_nobody_out_and_forgets_nothing(place: Place) -> None:
    limiter = place.backend.services.accounts._guesses
    for number in range(FREE_TRIES_OF_ADDRESS):
        _guess(place, _DOORS[1], f"nobody{number}@mail.example")
    kept = dict(limiter._tries)
    for number in range(50):
        _guess(place, _DOORS[1], f"flood{number}@mail.example")
        problem(_guess(place, _DOORS[0], _email(place, _DOORS[0])), 429)
    assert limiter._tries == kept


def test_a_right_password_is_not_told_while_one_has_to_wait(place: Place) -> None:
    for _ in range(FREE_TRIES):
        _guess(place, _DOORS[1], place.owner.email)
    right = _guess(place, _DOORS[1], place.owner.email, place.owner.password)
    wrong = _guess(place, _DOORS[1], place.owner.email)
    assert (right.status_code, right.json()["type"]) == (429, wrong.json()["type"])
    assert "set-cookie" not in right.headers


@pytest.mark.parametrize("door", _DOORS)
def test_an_unknown_person_and_a_wrong_password_sound_alike(place: Place, door: str) -> None:
    answers = [_guess(place, door, e) for e in (_email(place, door), "nobody@mail.example")]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("a unix socket", "a unix socket"),
    ],
)
def test_a_network_of_ipv6_is_one_address(host: str, counted: str) -> None:
    assert address_of(HTTPConnection({"type": "http", "client": (host, 1)})) == counted


def test_no_address_is_one_address_too() -> None:
    assert address_of(HTTPConnection({"type": "http", "client": None})) == ""
