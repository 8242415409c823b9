"""A whole log is verified, and nothing bent gets through, whoever bends it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger.errors import VerificationError
from core.ledger.keys import fingerprint
from core.ledger.leaf import Signed, encode
from core.ledger.merkle import leaf_hash, root
from core.ledger.verification import LogVerifier, Report
from tests.ledger.kit import (
    ADMIN,
    PROPERTY,
    LogBuilder,
    accepted,
    full_log,
    refused,
    two_devices,
    verified,
)

LOG = full_log().encoded()
ROOT = root([leaf_hash(leaf) for leaf in LOG])
ROOT_PRINT = fingerprint(ADMIN.device.public)


def test_a_whole_log() -> None:
    report = verified(LOG, len(LOG), ROOT)
    assert report == Report(
        size=len(LOG),
        root=ROOT,
        decisions_verified=6,
        devices=3,
        root_fingerprints=(ROOT_PRINT,),
    )


def test_an_empty_log() -> None:
    assert verified([], 0, root([])).size == 0


def test_size_and_root_must_be_the_expected() -> None:
    with pytest.raises(VerificationError, match="entries where") as caught:
        verified(LOG, len(LOG) + 1, ROOT)
    assert caught.value.index is None
    with pytest.raises(VerificationError, match="another root"):
        verified(LOG, None, bytes(32))


@pytest.mark.parametrize("at", range(len(LOG)))
def test_a_flipped_bit_anywhere_is_seen(at: int) -> None:
    before = LogVerifier()
    for index, leaf in enumerate(LOG[:at]):
        before.add(index, leaf)
    for byte in range(at % 5, len(LOG[at]), 5):
        bent = bytearray(LOG[at])
        bent[byte] ^= 1 << byte % 8
        with pytest.raises(VerificationError):
            verified([*LOG[:at], bytes(bent), *LOG[at + 1 :]], len(LOG), ROOT)


@pytest.mark.parametrize("at", range(len(LOG)))
def test_a_cut_doubled_or_moved_entry_is_seen(at: int) -> None:
    first, second = LOG[at], LOG[at - 1]
    moved = list(LOG)
    moved[at], moved[at - 1] = second, first
    for bent in ([*LOG[:at], *LOG[at + 1 :]], [*LOG[: at + 1], *LOG[at:]], moved, LOG[:at]):
        with pytest.raises(VerificationError):
            verified(bent, len(LOG), ROOT)


@PROPERTY
@given(st.sampled_from([0, 1, 4, 7, 11, 15, 19, 20]), st.data())
def test_signed_bytes_cannot_change_even_with_a_new_root(at: int, data: st.DataObject) -> None:
    leaves = full_log().leaves
    signed = leaves[at].signed
    assert signed is not None
    payload, signature = bytearray(signed.payload), bytearray(signed.signature)
    target = data.draw(st.sampled_from([payload, signature]))
    target[data.draw(st.integers(0, len(target) - 1))] ^= 1 << data.draw(st.integers(0, 6))
    leaves[at] = replace(leaves[at], signed=Signed(bytes(payload), bytes(signature)))
    with pytest.raises(VerificationError, match=f"entry {at}: "):
        verified(encode(leaf) for leaf in leaves)


@PROPERTY
@given(st.one_of(st.none(), st.booleans(), st.integers(), st.text()), st.binary() | st.none())
def test_adding_is_total(index: Any, leaf: Any) -> None:
    with pytest.raises(VerificationError):
        LogVerifier().add(index, leaf)


def test_indexes_are_dense() -> None:
    for index in (1, -1, True, None, 0.0):
        verifier = LogVerifier()
        with pytest.raises(VerificationError, match="entry 0: another entry came"):
            verifier.add(index, LOG[0])  # type: ignore[arg-type]  # wrong types are the test


def test_a_failure_is_final() -> None:
    verifier = LogVerifier()
    verifier.add(0, LOG[0])
    with pytest.raises(VerificationError, match="entry 1: "):
        verifier.add(1, b"{}")
    with pytest.raises(VerificationError, match="entry 1: "):
        verifier.add(1, LOG[1])
    with pytest.raises(VerificationError, match="entry 1: "):
        verifier.finish(None, None)


def test_an_id_is_used_once() -> None:
    log = two_devices()
    log.leaves.append(replace(log.entry("note.made"), entry_id=log.leaves[0].entry_id))
    del log.leaves[-2]
    refused(log, "its id was used")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (None, 3, "last version"),
        (1, 2, "last version"),
        (3, 4, "last version"),
        (2, 4, "by one"),
        (2, 1, "by one"),
        (2, None, "takes the version"),
    ],
)
def test_versions_are_a_chain(before: int | None, after: int | None, reason: str) -> None:
    log = two_devices()
    log.entry("enrollment.facts_changed", before=before, after=after)
    refused(log, reason)


@pytest.mark.parametrize("same", [None, 2, 9])
def test_an_entry_that_changes_nothing_is_no_link(same: int | None) -> None:
    log = two_devices()
    log.entry("enrollment.late_money", before=same, after=same)
    log.entry("enrollment.facts_changed", before=2, after=3)
    assert accepted(log).size == 6


@pytest.mark.parametrize(("before", "after"), [(None, 2), (0, 1), (4, 5)])
def test_a_chain_opens_at_its_beginning(before: int | None, after: int) -> None:
    log = LogBuilder()
    log.entry("enrollment.created", before=before, after=after)
    refused(log, "version")
