"""Canonical JSON: exactly RFC 8785, and a reader that refuses what the writer would not write."""

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from core.ledger.canonical import MAX_DEPTH, MAX_INT, MAX_LEAF_BYTES, canonical, parse
from core.ledger.errors import LeafError
from tests.ledger.kit import PROPERTY

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEYS = st.text(st.characters(max_codepoint=127))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INT, MAX_INT) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@PROPERTY
@given(VALUES)
def test_equals_rfc8785_and_reads_back(value: Any) -> None:
    data = canonical(value)
    assert data == rfc8785.dumps(value)
    assert parse(data) == value


@PROPERTY
@given(st.binary(max_size=60) | VALUES.map(lambda v: json.dumps(v).encode()))
def test_parse_is_total(data: bytes) -> None:
    try:
        value = parse(data)
    except LeafError:
        return
    assert parse(canonical(value)) == value


def _nested(depth: int) -> object:
    value: object = None
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        MAX_INT + 1,
        -MAX_INT - 1,
        "\ud800",
        {"\ud800": 1},
        {"é": 1},
        {1: 1},
        (1,),
        b"x",
        {"a": [object()]},
        _nested(MAX_DEPTH + 1),
        _nested(5000),
    ],
)
def test_values_that_are_refused(value: object) -> None:
    with pytest.raises(LeafError):
        canonical(value)


def test_the_limits_themselves_are_allowed() -> None:
    assert canonical(_nested(MAX_DEPTH)) == b"[" * MAX_DEPTH + b"null" + b"]" * MAX_DEPTH
    assert canonical([MAX_INT, -MAX_INT]) == b"[9007199254740991,-9007199254740991]"
    longest = b'"' + b"x" * (MAX_LEAF_BYTES - 2) + b'"'
    assert canonical(parse(longest)) == longest


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"1.0",
        b"1e3",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b'{"a":1,"a":1}',
        b'[{"a":{"b":1,"b":2}}]',
        b'"\xff"',
        b"\xef\xbb\xbf1",
        b'"\\ud800"',
        '{"é":1}'.encode(),
        b"9007199254740992",
        b"9" * 5000,
        b"[" * 60_000,
        b"[" * 40 + b"]" * 40,
        b'{"a":' * 10_000,
        b'"' + b"x" * MAX_LEAF_BYTES + b'"',
        b"1 2",
        None,
        "1",
    ],
)
def test_bytes_that_are_refused(data: Any) -> None:
    with pytest.raises(LeafError):
        parse(data)
