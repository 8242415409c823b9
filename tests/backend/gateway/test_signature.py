"""Signatures: the vectors, a second implementation, and an answer to whatever comes in."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backend.gateway.callback import read_callback
from core.backend.gateway.provider import LinkRequest
from core.backend.gateway.requests import link_body
from core.backend.gateway.signature import sign, verify_callback
from tests.backend.gateway.build import PROPERTY, SECRET

CREATE = (
    '{"entityID":"4","externalEntityID":"4","amount":200,"currency":"ZAR",'
    '"requesterUrl":"https://example.com/requester","description":"Test Description 1",'
    '"paymentReference":"4","mode":"live","externalTransactionID":"4","urls":{'
    '"callbackUrl":"https://example.com/callback","successPageUrl":"https://example.com/success",'
    '"failurePageUrl":"https://example.com/failure","cancelUrl":"https://example.com/cancel"}}'
)
CREATE_SIGNED = "87a2fabb9fc5d28653ac51655e1f99457901ca528a95715e21377c833582eabe"
CREATE_UNESCAPED = "1209b9bc0491d973de9d96db1bc72cf81efa40dd345faac9d7559ac75c39c081"
CALLBACK = (
    '{"paylinkID":"2zh1zj6y8xpb0g3","status":"SUCCESS","externalTransactionID":"TRANS789",'
    '"responseCode":"00"}'
)
CALLBACK_SIGNED = "0cd385187f6d657062a7adbd85cc593aa961d16998c457459bd61953dc511c16"
WITH_TEXT = CALLBACK[:-1] + ',"text":"Approved"}'


@pytest.mark.parametrize(
    ("path", "body", "signed"),
    [
        ("/public-api/v1/api/payment", CREATE, CREATE_SIGNED),
        ("/callback", CALLBACK, CALLBACK_SIGNED),
        (
            "/public-api/v1/api/getStatus/2zh1zj6y8xpb0g3", "",
            "dc02b238077a6e2efe38becaf288335188b47e6006acd065d6e95a4420e9dc30",
        ),
        (
            "/public-api/v1/api/payments/history", "",
            "3e8c8bf62059c2e406eb874cb5096b2343b77eb15c57fa96806e13fe0618a791",
        ),
    ],
)  # fmt: skip
def test_the_vectors(path: str, body: str, signed: str) -> None:
    assert sign(path, body, SECRET) == signed
    assert sign(path, body.encode(), SECRET) == signed
    assert sign(path, body, f"\t{SECRET} \r\n") == signed
    assert signed != CREATE_UNESCAPED


def test_the_client_sends_the_body_of_the_vector() -> None:
    request = LinkRequest(
        external_id="4",
        amount_cents=200,
        description="Test Description 1",
        reference="4",
        callback_url="https://example.com/callback",
        success_url="https://example.com/success",
        failure_url="https://example.com/failure",
        cancel_url="https://example.com/cancel",
        requester_url="https://example.com/requester",
    )
    assert link_body(request, entity_id="4", mode="live") == CREATE.encode()


@PROPERTY
@given(path=st.text(st.characters(codec="utf-8")), body=st.text(st.characters(codec="utf-8")))
def test_a_second_implementation_agrees(path: str, body: str) -> None:
    escaped = re.sub(r"""[\\"']""", lambda found: "\\" + found[0], path + body)
    escaped = escaped.replace("\0", "\\0")
    expected = hmac.new(SECRET.encode(), escaped.encode(), hashlib.sha256).hexdigest()
    assert sign(path, body, SECRET) == expected


@pytest.mark.parametrize("secret", ["", " \t\n"])
def test_a_blank_secret_signs_and_verifies_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match="blank"):
        sign("/callback", CALLBACK, secret)
    by_everybody = hmac.new(b"", b"/callback", hashlib.sha256).hexdigest()
    assert not verify_callback("/callback", b"", by_everybody, [secret])


@pytest.mark.req("5.4")
@pytest.mark.parametrize(
    "raw",
    [
        CALLBACK,
        WITH_TEXT,
        '{ "text": "Approved",\n' + CALLBACK[1:-1].replace('":"', '": "') + " }",
        urlencode(json.loads(CALLBACK)),
        urlencode(json.loads(WITH_TEXT)),
    ],
    ids=["as it is", "with text", "spaced", "form", "form with text"],
)
def test_every_form_of_the_signed_fields_is_taken(raw: str) -> None:
    assert verify_callback("/callback", raw.encode(), CALLBACK_SIGNED, [SECRET])
    assert verify_callback("/callback", raw.encode(), CALLBACK_SIGNED.upper(), ["other", SECRET])


@pytest.mark.parametrize("raw", [WITH_TEXT, urlencode(json.loads(WITH_TEXT)), "neither", "{"])
def test_what_was_signed_as_it_came_is_taken(raw: str) -> None:
    signed = sign("/callback", raw, SECRET)
    assert verify_callback("/callback", raw.encode(), signed, ["new-secret", SECRET])


@pytest.mark.req("5.4")
@pytest.mark.parametrize(
    ("path", "raw", "signature", "secrets"),
    [
        ("/callback/", CALLBACK, CALLBACK_SIGNED, [SECRET]),
        ("/callback", CALLBACK.replace("SUCCESS", "FAILURE"), CALLBACK_SIGNED, [SECRET]),
        ("/callback", CALLBACK[:-1] + ',"status":"FAILURE"}', CALLBACK_SIGNED, [SECRET]),
        ("/callback", CALLBACK[:-1] + ',"more":"x"}', CALLBACK_SIGNED, [SECRET]),
        # The last one of two would be the signed one: a name that comes twice is never read.
        ("/callback", '{"status":"FAILURE",' + CALLBACK[1:], CALLBACK_SIGNED, [SECRET]),
        ("/callback", "status=FAILURE&" + urlencode(json.loads(CALLBACK)), CALLBACK_SIGNED,
         [SECRET]),
        ("/callback", CALLBACK, CALLBACK_SIGNED, ["another-secret"]),
        ("/callback", CALLBACK, CALLBACK_SIGNED, []),
        ("/callback", CALLBACK, None, [SECRET]),
        ("/callback", CALLBACK, "", [SECRET]),
        ("/callback", CALLBACK, CALLBACK_SIGNED[:-1], [SECRET]),
        ("/callback", CALLBACK, CALLBACK_SIGNED + "0", [SECRET]),
        ("/callback", CALLBACK, "é" * 64, [SECRET]),
    ],
)  # fmt: skip
def test_anything_else_is_not(
    path: str, raw: str, signature: str | None, secrets: list[str]
) -> None:
    assert not verify_callback(path, raw.encode(), signature, secrets)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a":' + b"9" * 10_000 + b"}",
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b"\xff\xfe{",
        b"a=%ff&b=1",
        b"&" * 10_000,
        b"a=1" + b"&a=1" * 1000,
        b"[1,2]",
        b"",
    ],
    ids=lambda raw: repr(raw[:12]),
)
def test_hostile_bodies_are_answered(raw: bytes) -> None:
    assert not verify_callback("/callback", raw, CALLBACK_SIGNED, [SECRET])
    assert verify_callback("/callback", raw, sign("/callback", raw, SECRET), [SECRET])
    assert read_callback(raw) is None


@PROPERTY
@given(
    path=st.text(), raw=st.binary(), signature=st.none() | st.text(), secrets=st.lists(st.text())
)
def test_verifying_is_total(
    path: str, raw: bytes, signature: str | None, secrets: list[str]
) -> None:
    assert verify_callback(path, raw, signature, secrets) is False


@PROPERTY
@given(raw=st.binary(max_size=300))
def test_reading_is_total(raw: bytes) -> None:
    for body in (raw, b"{" + raw, CALLBACK.encode()[:40] + raw):
        assert read_callback(body) is None or b"paylinkID" in body


@PROPERTY
@given(position=st.integers(0, len(CALLBACK) - 1), byte=st.integers(0, 255))
def test_no_changed_byte_is_taken(position: int, byte: int) -> None:
    changed = bytearray(CALLBACK.encode())
    changed[position] = byte
    good = verify_callback("/callback", bytes(changed), CALLBACK_SIGNED, [SECRET])
    assert good == (bytes(changed) == CALLBACK.encode())
