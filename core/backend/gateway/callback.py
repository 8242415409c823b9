"""What a card provider's callback says, once its signature was found right. It is a hint only.

The body is JSON or a form; both are read here and nowhere else, so that the fields that were
verified are the fields that are used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Never
from urllib.parse import parse_qsl

from core.domain.failures import FailureClass

# This field may be there and is not part of what is signed: never use it.
_UNSIGNED = "text"
_MAX_FIELDS = 50
_MAX_VALUE = 200

# Card networks answer with these codes (ISO 8583). The provider does not say that its own are the
# same, so nothing but the words shown to a person hangs on them.
_CODES: Mapping[str, FailureClass] = {
    "05": FailureClass.DECLINED,
    "14": FailureClass.DECLINED,
    "33": FailureClass.EXPIRED_CARD,
    "51": FailureClass.INSUFFICIENT_FUNDS,
    "54": FailureClass.EXPIRED_CARD,
    "91": FailureClass.PROVIDER_DOWN,
    "96": FailureClass.PROVIDER_DOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """`success` is what was claimed, never a fact. Texts are at most 200 characters."""

    link_id: str
    success: bool
    external_id: str | None
    code: str | None

    @property
    def failure(self) -> FailureClass:
        """Why it failed, as far as the code tells."""
        return failure_of(self.code)


def failure_of(code: str | None) -> FailureClass:
    """The class of a provider's response code; UNKNOWN unless it surely says more."""
    return _CODES.get(code or "", FailureClass.UNKNOWN)


def read_callback(raw: bytes) -> Callback | None:
    """The fields of a verified body; None for what is no callback. Total over any bytes."""
    fields = _fields(raw)
    if fields is None:
        return None
    link_id, status = _text(fields, "paylinkID"), _text(fields, "status")
    if link_id is None or status not in {"SUCCESS", "FAILURE"}:
        return None
    return Callback(
        link_id=link_id,
        success=status == "SUCCESS",
        external_id=_text(fields, "externalTransactionID"),
        code=_text(fields, "responseCode"),
    )


def signed_form(raw: bytes) -> bytes | None:
    """The fields without `text` as compact JSON, in the order they came; None if there are none.

    A form is dumped like JSON whose values are texts: what was made a form was that JSON before.
    """
    fields = _fields(raw)
    if fields is None:
        return None
    kept = {name: value for name, value in fields.items() if name != _UNSIGNED}
    try:
        dumped = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, ValueError):
        return None
    return dumped.encode("utf-8", "surrogatepass")


def _fields(raw: bytes) -> dict[str, Any] | None:
    """The fields of a JSON object or of a form; the first character tells which it is.

    A name that comes twice makes it unreadable: two readers could take different ones.
    """
    try:
        text = raw.decode("utf-8")
        if text.lstrip().startswith("{"):
            read = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
            return read if isinstance(read, dict) else None
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict",
            max_num_fields=_MAX_FIELDS,
        )  # fmt: skip
        return _once(pairs)
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs) or len(fields) > _MAX_FIELDS:
        raise ValueError("a field comes twice, or there are too many")
    return fields


def _refuse(constant: str) -> Never:
    raise ValueError(f"{constant} is no JSON")


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_VALUE else None
