"""The leaf, version 1: frozen bytes, and one form for one entry."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger.canonical import MAX_INT, canonical
from core.ledger.errors import LeafError
from core.ledger.leaf import Leaf, Signed, decode, encode
from tests.ledger.kit import PROPERTY, uuid
from tests.ledger.test_canonical import KEYS, TEXT, VALUES

LEAF = Leaf(
    entry_id=uuid(1),
    time=datetime(2026, 1, 31, 9, 15, 0, 42, tzinfo=UTC),
    actor=f"user:{uuid(2)}",
    device=uuid(3),
    action="enrollment.approved",
    subject=f"enrollment:{uuid(4)}",
    before=2,
    after=3,
    facts={"method": "eft", "cents": 125000, "codes": ["a", None, True]},
    signed=Signed(payload=b'{"n":1,"note":"caf\xc3\xa9"}', signature=bytes(range(64))),
)

# Frozen: ledgers with such leaves exist. A change here breaks every one of them.
GOLDEN = (
    '{"action":"enrollment.approved","actor":"user:01900000-0000-7000-8000-000000000002",'
    '"after":3,"before":2,"device":"01900000-0000-7000-8000-000000000003",'
    '"facts":{"cents":125000,"codes":["a",null,true],"method":"eft"},'
    '"id":"01900000-0000-7000-8000-000000000001",'
    '"signed":{"payload":"{\\"n\\":1,\\"note\\":\\"café\\"}","signature":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYX'
    'GBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="},'
    '"subject":"enrollment:01900000-0000-7000-8000-000000000004",'
    '"time":"2026-01-31T09:15:00.000042Z","v":1}'
)
GOLDEN_HASH = "ead442252c60954014ba46651e73e44c4e6f1d25d02fddc24cdf3541ad67be4f"

LEAVES = st.builds(
    Leaf,
    entry_id=st.uuids(),
    time=st.datetimes(timezones=st.just(UTC)),
    actor=st.uuids().map(lambda u: f"user:{u}") | st.sampled_from(["gateway", "system"]),
    device=st.none() | st.uuids(),
    action=st.sampled_from(["enrollment.created", "device.enrolled"]),
    subject=st.uuids().map(lambda u: f"enrollment:{u}"),
    before=st.none() | st.integers(0, MAX_INT),
    after=st.none() | st.integers(0, MAX_INT),
    facts=st.dictionaries(KEYS, VALUES, max_size=4),
    signed=st.none() | st.builds(Signed, TEXT.map(str.encode), st.binary(min_size=64, max_size=64)),
)


def test_golden_bytes() -> None:
    data = encode(LEAF)
    assert data == GOLDEN.encode()
    assert sha256(data).hexdigest() == GOLDEN_HASH
    assert decode(data) == LEAF


@PROPERTY
@given(LEAVES)
def test_every_leaf_reads_back(leaf: Leaf) -> None:
    assert decode(encode(leaf)) == leaf


@PROPERTY
@given(st.integers(0, len(GOLDEN.encode()) - 1), st.integers(0, 255))
def test_a_changed_byte_is_another_leaf_or_none(at: int, byte: int) -> None:
    data = bytearray(GOLDEN.encode())
    data[at] = byte
    try:
        leaf = decode(bytes(data))
    except LeafError:
        return
    assert encode(leaf) == bytes(data)
    assert (leaf == LEAF) is (bytes(data) == GOLDEN.encode())


@pytest.mark.parametrize("missing", sorted(json.loads(GOLDEN)))
def test_a_missing_key_is_refused(missing: str) -> None:
    value = json.loads(GOLDEN)
    del value[missing]
    with pytest.raises(LeafError):
        decode(canonical(value))


ID = str(uuid(1))
SIGNATURE = json.loads(GOLDEN)["signed"]["signature"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("extra", 1),
        ("v", 2),
        ("v", True),
        ("v", "1"),
        ("id", ID[:-1] + "A"),
        ("id", None),
        ("time", "2026-01-31T09:15:00.000042"),
        ("time", 1),
        ("actor", "user:nobody"),
        ("actor", "user:" + ID + "\n"),
        ("actor", "robot"),
        ("actor", None),
        ("device", "console"),
        ("device", False),
        ("action", "approved"),
        ("action", "Enrollment.approved"),
        ("action", "a." + "b" * 63),
        ("action", 1),
        ("subject", "enrollment"),
        ("subject", "enrollment:1"),
        ("subject", None),
        ("before", "2"),
        ("before", True),
        ("before", -1),
        ("after", []),
        ("facts", []),
        ("facts", None),
        ("signed", {}),
        ("signed", "x"),
        ("signed", {"payload": "x", "signature": "AAAA"}),
        ("signed", {"payload": 1, "signature": SIGNATURE}),
        ("signed", {"payload": "x", "signature": SIGNATURE, "more": 1}),
    ],
)
def test_a_wrong_value_is_refused(key: str, value: object) -> None:
    whole = json.loads(GOLDEN)
    decode(canonical(whole))
    whole[key] = value
    with pytest.raises(LeafError):
        decode(canonical(whole))


def test_another_version_is_named_as_such() -> None:
    with pytest.raises(LeafError, match="unknown version"):
        decode(GOLDEN.replace('"v":1', '"v":2').encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        GOLDEN.encode() + b"\n",
        GOLDEN.replace(":2,", ": 2,").encode(),
        GOLDEN.replace("é", "\\u00e9").encode(),
        json.dumps(json.loads(GOLDEN)).encode(),
        GOLDEN.replace('"v":1', '"v":1,"v":1').encode(),
    ],
)
def test_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(LeafError):
        decode(data)


@pytest.mark.parametrize(
    "bent",
    [
        {"time": datetime(2026, 1, 31)},  # noqa: DTZ001 - the naive time is the test
        {"time": datetime(2026, 1, 31, tzinfo=timezone(timedelta(hours=2)))},
        {"actor": "somebody"},
        {"action": "approved"},
        {"subject": "enrollment"},
        {"before": -1},
        {"after": MAX_INT + 1},
    ],
)
def test_a_leaf_cannot_be_made_wrong(bent: dict[str, Any]) -> None:
    with pytest.raises(LeafError):
        replace(LEAF, **bent)


@pytest.mark.parametrize(
    "bent",
    [
        {"facts": {"amount": 1.5}},
        {"facts": {"text": "x" * 65536}},
        {"signed": Signed(b"\xff", bytes(64))},
        {"signed": Signed(b"{}", bytes(63))},
    ],
)
def test_a_leaf_that_cannot_be_written(bent: dict[str, Any]) -> None:
    with pytest.raises(LeafError):
        encode(replace(LEAF, **bent))
