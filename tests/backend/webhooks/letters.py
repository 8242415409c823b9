"""Callbacks as the provider sends them, and as nobody should."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.backend.gateway.signature import sign
from core.backend.services.webhooks import CallbackKeys

PATH = "/webhooks/ikhokha"
APP_ID = "IKTESTAPP"
SECRET = "test-secret-0123456789abcdef"
PREVIOUS = "an-older-secret-0123456789"
KEYS = CallbackKeys(app_id=APP_ID, secrets=(SECRET, PREVIOUS))


def fields(
    link: str, attempt: object | None = None, *, success: bool = True, code: str = "00"
) -> dict[str, Any]:
    named = {} if attempt is None else {"externalTransactionID": str(attempt)}
    claim = "SUCCESS" if success else "FAILURE"
    return {"paylinkID": link, "status": claim, **named, "responseCode": code}


def compact(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def failures(links: Sequence[Sequence[str]], prefix: str = "") -> Iterator[bytes]:
    """Without end, no two alike: failures of these (link, attempt), each with its own code."""
    for number in itertools.count():
        link, attempt = links[number % len(links)]
        yield compact(fields(link, attempt, success=False, code=f"{prefix}{number}"))


def signed(
    body: bytes, *, secret: str = SECRET, app_id: str = APP_ID, path: str = PATH
) -> dict[str, str]:
    """The headers that go with a body."""
    return {
        "content-type": "application/json",
        "ik-appid": app_id,
        "ik-sign": sign(path, body, secret),
    }
