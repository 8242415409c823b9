"""Canonical JSON (RFC 8785) for the values a ledger may hold, and its strict reader.

Allowed: None, bool, int within +-(2**53 - 1), str without lone surrogates, list, and dict with
ASCII keys. No floats: then the standard library's own writer gives exactly RFC 8785's bytes (ASCII
keys sort alike by code point and by UTF-16 unit), which a test proves with the `rfc8785` package.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeAlias

from core.ledger.errors import LeafError

MAX_LEAF_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_INT = 2**53 - 1

JsonScalar: TypeAlias = str | int | bool | None
# Read-only types, so that a list[str] is accepted; at run time only list and dict are.
Json: TypeAlias = "JsonScalar | Sequence[Json] | Mapping[str, Json]"


def canonical(value: object) -> bytes:
    """The canonical UTF-8 bytes of a value. Raises `LeafError` for anything not allowed."""
    _check(value, depth=0)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def parse(data: bytes) -> Json:
    """Read JSON of at most `MAX_LEAF_BYTES`. It need not be canonical, only unambiguous.

    Raises `LeafError` for anything `canonical` would not write, and for a key that comes twice.
    """
    text = _decoded(data)
    try:
        value: Json = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except RecursionError as error:
        raise LeafError("the JSON is nested too deeply") from error
    except ValueError as error:
        raise LeafError("the text is not JSON") from error
    _check(value, depth=0)
    return value


def _decoded(data: object) -> str:
    if not isinstance(data, bytes):
        raise LeafError("JSON is read from bytes")
    if len(data) > MAX_LEAF_BYTES:
        raise LeafError(f"the JSON is longer than {MAX_LEAF_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise LeafError("the JSON is not UTF-8") from error


def _check(value: object, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise LeafError("the value is nested too deeply")
    if isinstance(value, list):
        for item in value:
            _check(item, depth=depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_key(key)
            _check(item, depth=depth + 1)
    else:
        _check_scalar(value)


def _check_scalar(value: object) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int):
        _check_number(value)
    elif value is not None:
        raise LeafError(f"a value of type {type(value).__name__} cannot be written")


def _check_text(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise LeafError("a text holds half a character (a lone surrogate)") from error


def _check_number(value: int) -> None:
    if not -MAX_INT <= value <= MAX_INT:
        raise LeafError("a number lies outside of +-(2**53 - 1)")


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not key.isascii():
        raise LeafError("a key is not ASCII text")


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise LeafError("a key comes twice")
    return found


def _refuse_number(_text: str) -> NoReturn:
    raise LeafError("only whole numbers are allowed")
