"""What is sent to the provider: bodies, addresses and texts that it takes as they are."""

from __future__ import annotations

import ipaddress
import json
import re
import unicodedata
from urllib.parse import urlsplit

from core.backend.gateway.provider import LinkRequest, ProviderError
from core.domain.failures import FailureClass

_MAX_DESCRIPTION = 100
_MAX_REFERENCE = 40
# The provider's own samples disagree on escaping anything else.
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9 .,:#()/-]+")
_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NOT_PUBLIC = (".localhost", ".local", ".internal", ".test", ".invalid")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~/-]*)?(\?[A-Za-z0-9._~=&%-]*)?")


def link_body(request: LinkRequest, *, entity_id: str, mode: str) -> bytes:
    """The body that makes a link: compact JSON, in the order of the provider's samples.

    Raises ProviderError where one of our own addresses or ids is not one that can be sent.
    """
    addresses = {
        "callbackUrl": request.callback_url,
        "successPageUrl": request.success_url,
        "failurePageUrl": request.failure_url,
        "cancelUrl": request.cancel_url,
    }
    for address in (request.requester_url, *addresses.values()):
        _require(_ADDRESS.fullmatch(address) is not None)
    # A callback is signed over its path alone.
    _require("?" not in request.callback_url and is_id(request.external_id))
    if request.amount_cents <= 0:
        raise ValueError("A payment is of one cent at least.")
    body = {
        "entityID": entity_id,
        "externalEntityID": request.external_id,
        "amount": request.amount_cents,
        "currency": "ZAR",
        "requesterUrl": request.requester_url,
        "description": plain(request.description, _MAX_DESCRIPTION),
        "paymentReference": plain(request.reference, _MAX_REFERENCE),
        "mode": mode,
        "externalTransactionID": request.external_id,
        "urls": addresses,
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def is_id(text: str) -> bool:
    """Whether this can be an id of a link or of a transaction: it becomes part of an address."""
    return _ID.fullmatch(text) is not None and not text.startswith(".")


def plain(text: str, limit: int) -> str:
    """Plain ASCII without quotes, apostrophes and backslashes, never empty."""
    letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(_NOT_PLAIN.sub(" ", letters).split())[:limit].strip() or "Payment"


def is_public_https(address: str) -> bool:
    """Whether the outside can call it, as far as the address itself tells; nothing is looked up."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme != "https" or parts.username is not None:
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host.strip(".") and not host.rstrip(".").endswith(_NOT_PUBLIC)


def _require(good: bool) -> None:  # noqa: FBT001 - reads as the sentence it is
    if not good:
        raise ProviderError(
            "An address or id of ours is not one that the card payment service takes.",
            failure=FailureClass.CONFIGURATION,
            retryable=False,
        )
