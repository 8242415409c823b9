"""A key or an id that was used before: the same answer for the same bytes, a refusal for others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import PaymentMethod
from core.protocol.signing import read_decision
from tests.backend.hostile.place import Place, complaint
from tests.backend.web.asking import bearer, problem


def test_every_key_is_good_for_one_body_only(place: Place) -> None:
    """Whatever route takes a key and a body with a text or an id in it."""
    found, tried = [], 0
    for route in place.routes:
        if not route.keyed or route.body is None:
            continue
        headers = place.headers_for(route)
        good = place.samples.good(route.body)
        first = place.ask(route, headers, good)
        if first.status_code != 200:
            continue
        tried += 1
        before = place.state()
        again = place.ask(route, headers, good)
        if again.status_code != 200:
            found.append(f"{route} again: {again.text}")
        other = _changed(place, good)
        # What was never accepted holds no key: then the other body is judged by itself.
        refusals = {404, 409, 422}
        if other != good and (why := complaint(place.ask(route, headers, other), refusals)):
            found.append(f"{route} with another body: {why}")
        if place.state() != before:
            found.append(f"{route} changed something")
    assert tried >= 2
    assert not found, "\n".join(found)


def _changed(place: Place, good: object) -> object:
    """Another rightful body: another course, or another title."""
    assert isinstance(good, dict)
    changed = dict(good)
    for name, value in good.items():
        if name == "course":
            changed[name] = str(place.backend.courses[2].id)
        elif name in {"title", "name"}:
            changed[name] = f"{value}, changed"
        elif name == "roles":
            changed[name] = ["supervisor"]
    return changed


def test_a_key_belongs_to_one_person(place: Place) -> None:
    """Somebody else's key is no way to somebody else's answer."""
    key = {"Idempotency-Key": str(uuid7())}
    course = str(place.backend.courses[2].id)
    body = {"course": course, "method": PaymentMethod.EFT.value}
    answers = [
        place.http.post("/api/student/enroll", json=body, headers={**student.headers, **key}).json()
        for student in (place.owner, place.other)
    ]
    assert answers[0]["card"]["enrollment"] != answers[1]["card"]["enrollment"]


def test_a_decision_that_comes_again_changed(place: Place) -> None:
    claim = place.backend.claim()
    decision = place.backend.decision(place.device, claim.enrollment)
    assert place.backend.decide(place.device, decision)[0].kind == "accepted"
    signed = read_decision(decision.payload.encode())
    other = replace(signed, verdict=Verdict.REJECT, reason_code=ReasonCode.MISTAKE)
    before = place.state()
    for again in (place.device.signed(other), decision.model_copy(update={"payload": "{}"})):
        answer = place.backend.decide(place.device, again)[0]
        assert answer.kind == "refused"
        assert answer.code in {"id_reused", "unreadable"}
    assert place.backend.decide(place.device, decision)[0].kind == "accepted"
    assert place.state() == before


def test_a_decision_of_another_officers_device_changes_nothing(place: Place) -> None:
    claim, thief = place.backend.claim(), place.backend.device(number=1)
    decision = place.backend.decision(place.device, claim.enrollment)
    stolen = replace(read_decision(decision.payload.encode()), officer=thief.user)
    before = place.state()
    for item in (decision, place.device.signed(stolen), thief.signed(stolen)):
        answer = place.backend.decide(thief, item)[0]
        assert (answer.kind, answer.code) == ("refused", "not_yours")
    assert place.state() == before


def test_a_refresh_token_that_comes_again_ends_the_session(place: Place) -> None:
    session = place.backend.staff()
    body = {"refresh_token": session.refresh_token}
    fresh = place.http.post("/api/staff/refresh", json=body)
    assert fresh.status_code == 200
    problem(place.http.post("/api/staff/refresh", json=body), 401, "sign-in-needed")
    newest = {"Authorization": f"Bearer {json.loads(fresh.text)['access_token']}"}
    problem(place.http.get("/api/staff/me", headers=newest), 401, "sign-in-needed")
    problem(place.http.get("/api/staff/me", headers=bearer(session)), 401, "sign-in-needed")


_LARGEST = 2**53 - 1


_ABSURD: tuple[tuple[Mapping[str, Any], str], ...] = (
    ({"n": _LARGEST}, "unreadable"),
    ({"as_of": _LARGEST}, "ahead"),
    ({"expected_version": _LARGEST}, ""),
    ({"expected_version": 0}, ""),
    ({"amount_received": 10**10 + 1}, "unreadable"),
    ({"seen": "x" * 64}, "unreadable"),
    ({"reason_commitment": "f" * 63}, "unreadable"),
    ({"enrollment": UUID(int=0)}, ""),
    ({"enrollment": UUID(int=2**128 - 1)}, ""),
    ({"device": UUID(int=0)}, "device_pending"),
)


@pytest.mark.both_engines
def test_a_rightly_signed_decision_that_says_something_absurd(place: Place) -> None:
    """Answered by itself; the enrollment stays as it was, and the device goes on working."""
    backend, device = place.backend, place.device
    for changes, code in _ABSURD:
        claim = backend.claim()
        signed = read_decision(backend.decision(device, claim.enrollment).payload.encode())
        answer = backend.decide(device, device.signed(replace(signed, **changes)))[0]
        assert answer.kind != "accepted", changes
        assert code in {"", answer.code}, changes
        assert backend.row(claim.enrollment).waiting, changes
        about = place.http.get(f"/api/devices/{device.id}", headers=device.headers)
        assert about.status_code == 200, changes
        assert backend.approve(device, claim.enrollment).kind == "accepted", changes
