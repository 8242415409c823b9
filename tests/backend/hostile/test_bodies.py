"""What is sent to every route that takes something: refused plainly, and nothing changes."""

from __future__ import annotations

import json

import pytest
from uuid_utils.compat import uuid7

from core.protocol.messages import MAX_INBOUND_BYTES
from tests.backend.hostile.place import Place, complaint
from tests.backend.hostile.routes import Route
from tests.backend.hostile.samples import Spoiled

# PostgreSQL refuses texts and numbers that SQLite takes.
pytestmark = pytest.mark.both_engines

_UNREADABLE = (
    b"{",
    b"",
    b"\xff\xfe\x00",
    b"null",
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b'{"a": ' + b"9" * 5_000 + b"}",
    b"NaN",
    b"\x00" * 100,
)
_OTHER_TYPES = (
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "\xe9/\x80",
    "json",
)
_SEGMENTS = (
    "x", "%00", "..%2f..%2fetc", "%ff%fe", "-1", "a" * 3_000, "%0d%0aX-Header:%20y", "%252e",
    "null",
)  # fmt: skip
_QUERIES = (
    "", "x", "-1", "0.5", "9" * 30, "%00", "%ff", "NaN", "%D9%A1", "1e9", "'--", "[]", "a" * 3_000,
)  # fmt: skip
_KEYS = (None, "", "short", "x" * 101, "with a space", "\u00fcber-schl\u00fcssel")


def _with_body(place: Place) -> list[Route]:
    found = [route for route in place.routes if route.body is not None]
    assert len(found) >= 8
    return found


def _report(found: list[str]) -> None:
    assert not found, "\n".join(found)


def test_every_spoiled_body_is_refused_and_changes_nothing(place: Place) -> None:
    found = []
    for route in _with_body(place):
        assert route.body is not None
        headers, before = place.headers_for(route), place.state()
        good = place.samples.good(route.body)
        for spoiled in place.samples.spoiled(route.body):
            answer = place.ask(route, headers, spoiled.applied_to(good))
            if _answered_by_item(spoiled):
                assert '"refused"' in answer.text
            elif why := _refusal(spoiled.kind, answer.status_code) or complaint(answer):
                found.append(f"{route} {spoiled}: {why}")
            if "admin</b>" in answer.text:
                found.append(f"{route} {spoiled}: repeats what was sent")
        if place.state() != before:
            found.append(f"{route} changed something")
    _report(found)


def _refusal(kind: str, status: int) -> str:
    """A spoiled body never comes as far as the use case (401, 404, 409)."""
    expected = (413, 422) if kind.startswith("too ") else (422,)
    return "" if status in expected else f"answered {status}"


def _answered_by_item(spoiled: Spoiled) -> bool:
    """Decisions are read one by one, so that one that is spoiled blocks no other."""
    return spoiled.kind == "nul" and spoiled.place[-1:] == ("payload",) and "items" in spoiled.place


def test_every_body_that_is_no_json_is_refused_and_changes_nothing(place: Place) -> None:
    found = []
    for route in _with_body(place):
        headers, before = place.headers_for(route), place.state()
        for content in _UNREADABLE:
            typed = {**headers, "Content-Type": "application/json"}
            answer = place.ask(route, typed, content=content)
            if why := complaint(answer, {400, 413, 422}):
                found.append(f"{route} {content[:10]!r}: {why}")
        large = place.ask(route, headers, "x" * MAX_INBOUND_BYTES)
        if why := complaint(large, {413}):
            found.append(f"{route} large: {why}")
        if place.state() != before:
            found.append(f"{route} changed something")
    _report(found)


def test_every_body_that_calls_itself_something_else_is_refused(place: Place) -> None:
    found = []
    for route in _with_body(place):
        assert route.body is not None
        headers, before = place.headers_for(route), place.state()
        content = json.dumps(place.samples.good(route.body)).encode()
        for kind in _OTHER_TYPES:
            typed = [
                *((k, v) for k, v in headers.items()),
                ("Content-Type", kind.encode("latin-1")),
            ]
            url = route.url(place.known)
            answer = place.http.request(route.method, url, headers=typed, content=content)  # type: ignore[arg-type]  # bytes are allowed
            if why := complaint(answer, {422}):
                found.append(f"{route} {kind!r}: {why}")
        if place.state() != before:
            found.append(f"{route} changed something")
    _report(found)


def test_ids_that_nobody_has_change_nothing(place: Place) -> None:
    """In the path and in the body; a good answer may say `unknown`."""
    found = []
    tried = 0
    for route in place.routes:
        paths, body = route.parameters("path"), route.body
        good = None if body is None else place.samples.good(body)
        foreign = None if body is None else place.samples.foreign(good, body)
        if not paths and foreign == good:
            continue
        tried += 1
        headers, before = place.headers_for(route), place.state()
        url = route.url({p["name"]: str(uuid7()) for p in paths})
        answer = place.ask(route, headers, foreign, url=url)
        if answer.status_code != 200 and (why := complaint(answer, {403, 404, 409, 422})):
            found.append(f"{route}: {why}")
        if place.state() != before:
            found.append(f"{route} changed something")
    assert tried >= 6
    _report(found)


def test_paths_that_are_no_ids(place: Place) -> None:
    found = []
    for route in place.routes:
        for part in route.parameters("path"):
            headers, before = place.headers_for(route), place.state()
            for segment in _SEGMENTS:
                url = route.url({**place.known, part["name"]: segment})
                answer = place.ask(route, headers, url=url)
                if why := complaint(answer, {404, 405, 422}):
                    found.append(f"{route} {segment[:20]}: {why}")
            if place.state() != before:
                found.append(f"{route} changed something")
    _report(found)


def test_queries_of_every_kind(place: Place) -> None:
    found = []
    for route in place.routes:
        for part in route.parameters("query"):
            headers = place.headers_for(route)
            for value in _QUERIES:
                # Twice, so that one of them is left over.
                url = f"{route.url(place.known)}?{part['name']}={value}&{part['name']}={value}"
                answer = place.ask(route, headers, url=url)
                if answer.status_code != 200 and (why := complaint(answer, {404, 409, 422})):
                    found.append(f"{route} {part['name']}={value[:20]}: {why}")
    _report(found)


def test_keys_that_are_none(place: Place) -> None:
    found = []
    keyed = [route for route in place.routes if route.keyed]
    assert len(keyed) >= 2
    for route in keyed:
        headers, before = place.headers_for(route), place.state()
        del headers["Idempotency-Key"]
        body = None if route.body is None else place.samples.good(route.body)
        for key in _KEYS:
            named = {} if key is None else {"Idempotency-Key": key.encode("latin-1")}
            sent = {**headers, **named, "Content-Type": "application/json"}
            content = None if body is None else json.dumps(body).encode()
            url = route.url(place.known)
            answer = place.http.request(route.method, url, headers=sent, content=content)  # type: ignore[arg-type]  # bytes are allowed
            if why := complaint(answer, {422}):
                found.append(f"{route} {key!r}: {why}")
        if place.state() != before:
            found.append(f"{route} changed something")
    _report(found)
