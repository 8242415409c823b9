"""What the provider answers, read strictly: what is not understood counts as nothing said."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Never

import structlog

from core.backend.gateway.provider import LinkStatus, PayLink, ProviderError
from core.backend.gateway.requests import is_id
from core.domain.failures import FailureClass

log = structlog.get_logger(__name__)

_DONE = "00"
_PAID = "PAID"
_MAX_WORD = 40
_MAX_DESCRIPTION = 200
_MAX_URL = 500
_MAX_CENTS = 10**12
_MAX_CODE = 10
_REST_OF_URL = re.compile(r"/[A-Za-z0-9._~!$&()*+,;=:@%/?-]*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def read_link(content: bytes, *, external_id: str, origins: Collection[str]) -> PayLink:
    """The link that was made. Raises ProviderError.

    `origins` are the only places that people are sent to, such as `https://pay.example.org`.
    """
    answer = _object(content)
    code = answer.get("responseCode")
    if code != _DONE:
        shown = plain_word(code, _MAX_CODE)
        raise ProviderError(
            f"The card payment service refused to start the payment (code {shown or 'missing'}).",
            failure=FailureClass.UNKNOWN,
            retryable=False,
        )
    link_id, url = answer.get("paylinkID"), answer.get("paylinkUrl")
    if not isinstance(link_id, str) or not is_id(link_id):
        raise unusable("it names no link")
    if answer.get("externalTransactionID", external_id) != external_id:
        raise unusable("it is about another payment")
    if not isinstance(url, str) or not _leads_to(url, origins):
        log.error("card provider named a pay page elsewhere", link=link_id)
        raise unusable("its pay page is not where pay pages are")
    return PayLink(id=link_id, url=url, external_id=external_id)


def read_status(
    content: bytes, *, link_id: str | None = None, external_id: str | None = None
) -> LinkStatus:
    """The status that was asked for by link, or by our own id. Raises ProviderError."""
    status = _status(_object(content))
    if link_id is not None and status.link_id != link_id:
        raise unusable("it is about another link")
    if external_id is not None and status.external_id not in {None, external_id}:
        raise unusable("it is about another payment")
    return status


def read_history(content: bytes) -> tuple[LinkStatus, ...]:
    """The payments of a list. One that cannot be read is told in the log, and hides no other.

    Raises ProviderError where it is no list.
    """
    lines = _json(content)
    if not isinstance(lines, list):
        raise unusable("it is not a list")
    read = []
    for line in lines:
        try:
            read.append(_status(line if isinstance(line, dict) else {}))
        except ProviderError:
            continue
    if len(read) < len(lines):
        log.warning("card provider history not readable", lines=len(lines) - len(read))
    return tuple(read)


def is_plain_no(content: bytes) -> bool:
    """Whether a 404 comes from the provider itself: an empty body or JSON, no page of a proxy."""
    try:
        return not content.strip() or isinstance(_json(content), dict)
    except ProviderError:
        return False


def plain_word(value: object, limit: int) -> str:
    """A text of theirs that may be shown: cut, and without control characters."""
    return _UNPRINTABLE.sub(" ", value).strip()[:limit] if isinstance(value, str) else ""


def unusable(why: str) -> ProviderError:
    """An answer that nothing can be built on: whatever was asked for may have been done."""
    return ProviderError(
        f"The card payment service gave an answer that cannot be used: {why}.",
        failure=FailureClass.UNKNOWN,
        retryable=True,
        outcome_unknown=True,
    )


def _status(answer: dict[str, Any]) -> LinkStatus:
    link_id = answer.get("paylinkID")
    if not isinstance(link_id, str) or not is_id(link_id):
        raise unusable("it names no link")
    word = plain_word(answer.get("status"), _MAX_WORD)
    if not word:
        raise unusable("it has no status")
    external_id = answer.get("externalTransactionID")
    return LinkStatus(
        link_id=link_id,
        word=word,
        paid=answer["status"] == _PAID,
        amount_cents=_cents(answer.get("amount")),
        external_id=external_id if isinstance(external_id, str) and is_id(external_id) else None,
        created_at=_time(answer.get("createdAt")),
        description=plain_word(answer.get("description"), _MAX_DESCRIPTION),
    )


def _cents(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _MAX_CENTS:
        raise unusable("its amount is not a number of cents")
    return value


def _time(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > _MAX_WORD:
        return None
    try:
        read = datetime.fromisoformat(value)
        # Without a zone it is taken as UTC; it is only ever shown.
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _leads_to(url: str, origins: Collection[str]) -> bool:
    # Right behind the origin comes the path: no port, no user, no longer host name fits between.
    return len(url) <= _MAX_URL and any(
        url.startswith(origin) and _REST_OF_URL.fullmatch(url, len(origin)) for origin in origins
    )


def _object(content: bytes) -> dict[str, Any]:
    read = _json(content)
    if not isinstance(read, dict):
        raise unusable("it is not an object")
    return read


def _json(content: bytes) -> object:
    try:
        read: object = json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise unusable("it is not JSON") from None
    return read


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")
