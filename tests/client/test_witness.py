"""The witness and honest ledgers: first contact, following, own decisions."""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.client.witness_file import AlarmKind
from core.ledger.keys import SigningKey, fingerprint
from core.ledger.leaf import Leaf, Signed, encode
from core.protocol.feed import FeedEvent, Snapshot
from tests.client.build import START, device_key
from tests.client.watched import KEY, OTHER_KEY, Desk, Ledger, decision_leaf
from tests.protocol.build import EPOCH


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.grow(5)
    return made


@pytest.fixture
def desk(tmp_path: Path, ledger: Ledger) -> Desk:
    return Desk(tmp_path, ledger)


def state(desk: Desk) -> str:
    return desk.witness.status.state.value


# --- first contact ---


async def test_first_contact_shows_the_key_and_is_never_called_verified(desk: Desk) -> None:
    witness = await desk.open()
    assert state(desk) == "new"
    await witness.meet(desk.ledger.workspace())
    assert state(desk) == "first_contact"
    assert witness.status.key_fingerprint == fingerprint(KEY.public)
    assert desk.verified_to() is None
    assert witness.epoch == EPOCH
    await witness.follow([*desk.ledger.grow(3), desk.ledger.checkpoint()])
    assert desk.verified_to() is None
    await witness.accept_first_contact()
    assert state(desk) == "following"
    assert desk.verified_to() == 8
    assert desk.told[-1] == witness.status


async def test_before_there_is_a_checkpoint_it_waits_for_one(desk: Desk) -> None:
    desk.ledger.reachable = False
    witness = await desk.open()
    await witness.meet(desk.ledger.workspace())
    assert state(desk) == "new"
    desk.ledger.reachable = True
    await witness.follow([desk.ledger.checkpoint()])
    assert state(desk) == "first_contact"


async def test_our_own_child_is_accepted_before_its_first_checkpoint(desk: Desk) -> None:
    desk.ledger.reachable = False
    witness = await desk.start()
    assert state(desk) == "new"
    desk.ledger.reachable = True
    await witness.follow([desk.ledger.checkpoint()])
    assert state(desk) == "following"
    assert desk.verified_to() == 5


async def test_a_head_that_its_own_key_did_not_sign_is_an_alarm(desk: Desk) -> None:
    witness = await desk.open()
    await witness.meet(Ledger(key=OTHER_KEY).workspace())
    assert desk.alarm() is AlarmKind.BAD_CHECKPOINT


# --- following ---


async def test_every_leaf_is_followed_to_each_checkpoint(desk: Desk) -> None:
    witness = await desk.start()
    assert desk.verified_to() == 5
    events: list[FeedEvent] = [*desk.ledger.grow(2)]
    await witness.follow(events)
    assert desk.verified_to() == 5  # nobody signed for these yet
    await witness.follow([desk.ledger.checkpoint(), *desk.ledger.grow(4)])
    assert desk.verified_to() == 7
    await witness.follow([desk.ledger.checkpoint()])
    assert desk.verified_to() == 11


async def test_following_needs_no_questions_to_the_backend(desk: Desk) -> None:
    witness = await desk.start()
    desk.ledger.reachable = False
    await witness.follow([*desk.ledger.grow(40), desk.ledger.checkpoint()])
    assert desk.verified_to() == 45


async def test_a_restart_goes_on_from_what_was_verified(desk: Desk) -> None:
    await desk.start()
    desk.ledger.grow(20)
    witness = await desk.open()
    assert state(desk) == "following"
    assert desk.verified_to() == 5
    await witness.meet(desk.ledger.workspace())
    assert desk.verified_to() == 25
    await witness.follow([*desk.ledger.grow(1), desk.ledger.checkpoint()])
    assert desk.verified_to() == 26


async def test_what_a_snapshot_passes_over_is_proven_as_a_whole(desk: Desk) -> None:
    witness = await desk.start()
    desk.ledger.grow(30)
    desk.ledger.signed_size = 20  # the head lags behind the snapshot
    await witness.follow([Snapshot(35, ()), *desk.ledger.grow(2)])
    assert desk.verified_to() == 20
    desk.ledger.signed_size = None
    await witness.follow([desk.ledger.checkpoint()])
    assert desk.verified_to() == 37
    desk.ledger.reachable = False
    await witness.follow([*desk.ledger.grow(1), desk.ledger.checkpoint()])
    assert desk.verified_to() == 38


async def test_the_peaks_of_a_snapshot_count_once_a_checkpoint_confirms_them(
    desk: Desk,
) -> None:
    witness = await desk.start()
    desk.ledger.grow(30)
    await witness.follow([desk.ledger.snapshot()])
    assert desk.verified_to() == 5
    payload, signature = b'{"n":1}', b"s" * 64
    entry = desk.ledger.add(decision_leaf(1, payload, signature))
    await witness.expect(payload, signature, entry.index)
    await witness.follow([entry])
    desk.ledger.reachable = False
    await witness.follow([desk.ledger.checkpoint()])
    assert desk.verified_to() == 5  # the way from 5 to 36 is not proven yet
    desk.ledger.reachable = True
    await witness.follow([desk.ledger.checkpoint()])
    assert desk.verified_to() == 36
    assert (witness.status.confirmed, witness.status.unconfirmed) == (1, 0)


async def test_peaks_that_lead_to_another_root_are_an_alarm(desk: Desk) -> None:
    witness = await desk.start()
    desk.ledger.grow(30)
    honest = desk.ledger.snapshot()
    lying = Snapshot(honest.size, (), (honest.peaks[1], *honest.peaks[1:]))
    await witness.follow([lying, *desk.ledger.grow(1), desk.ledger.checkpoint()])
    assert desk.alarm() is AlarmKind.FORKED


async def test_peaks_of_a_ledger_with_another_past_are_an_alarm(desk: Desk) -> None:
    witness = await desk.start()
    desk.ledger.leaves[0] = '{"forged":1,"signed":null}'
    desk.ledger.grow(7)
    await witness.follow([desk.ledger.snapshot(), desk.ledger.checkpoint()])
    assert desk.alarm() is AlarmKind.FORKED
    assert desk.verified_to() == 5


async def test_a_head_ahead_of_the_feed_does_not_confuse_it(desk: Desk) -> None:
    witness = await desk.start()
    entries = desk.ledger.grow(10)
    await witness.meet(desk.ledger.workspace())
    assert desk.verified_to() == 15
    more = desk.ledger.grow(1)
    await witness.follow([*entries[:5], desk.ledger.checkpoint(10), *entries[5:], *more])
    await witness.follow([desk.ledger.checkpoint()])
    assert desk.verified_to() == 16
    assert desk.alarm() is None


async def test_an_unreachable_backend_is_no_alarm(desk: Desk) -> None:
    witness = await desk.start()
    desk.ledger.reachable = False
    desk.ledger.grow(5)
    await witness.follow([Snapshot(10, ()), desk.ledger.checkpoint()])
    await witness.meet(desk.ledger.workspace())
    assert desk.alarm() is None
    assert desk.verified_to() == 5


async def test_a_ledger_that_was_empty_at_first_contact(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Ledger())
    witness = await desk.start()
    assert desk.verified_to() == 0
    desk.ledger.grow(3)
    await witness.meet(desk.ledger.workspace())
    assert desk.verified_to() == 3


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from("efspjr")), max_size=12))
def test_an_honest_ledger_never_alarms(steps: list[tuple[int, str]]) -> None:
    """Growth in any portions, followed, snapshot, jumped over or restarted in between."""

    async def play(folder: str) -> None:
        ledger = Ledger()
        ledger.grow(1)
        desk = Desk(Path(folder), ledger)
        await desk.start()
        for count, how in steps:
            entries = ledger.grow(count)
            if how == "e":
                await desk.witness.follow(entries)
            elif how == "f":
                await desk.witness.follow([*entries, ledger.checkpoint()])
            elif how == "s":
                await desk.witness.follow([ledger.snapshot(with_peaks=False)])
            elif how == "p":
                await desk.witness.follow([ledger.snapshot()])
            elif how == "j":
                await desk.witness.meet(ledger.workspace())
            else:
                await desk.open()
        await desk.witness.follow([ledger.checkpoint()])
        assert desk.alarm() is None
        assert desk.verified_to() == len(ledger.leaves)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(folder))


# --- own decisions, and the root device ---


@pytest.mark.parametrize("answer_first", [True, False])
async def test_an_own_decision_is_found_as_it_was_signed(desk: Desk, answer_first: bool) -> None:
    payload, signature = b'{"n":1}', b"s" * 64
    witness = await desk.start()
    entry = desk.ledger.add(decision_leaf(1, payload, signature))
    if answer_first:
        await witness.expect(payload, signature, entry.index)
        await witness.follow([entry])
    else:
        await witness.follow([entry])
        await witness.expect(payload, signature, entry.index)
    assert witness.status.confirmed == 1
    assert desk.alarm() is None


@pytest.mark.parametrize("answer_first", [True, False])
@pytest.mark.parametrize("wrong", ["payload", "signature"])
async def test_an_own_decision_that_was_altered_is_an_alarm(
    desk: Desk, answer_first: bool, wrong: str
) -> None:
    payload, signature = b'{"n":1}', b"s" * 64
    ledger_payload = b'{"n":2}' if wrong == "payload" else payload
    ledger_signature = b"t" * 64 if wrong == "signature" else signature
    witness = await desk.start()
    entry = desk.ledger.add(decision_leaf(1, ledger_payload, ledger_signature))
    if answer_first:
        await witness.expect(payload, signature, entry.index)
    await witness.follow([entry])
    if not answer_first:
        await witness.expect(payload, signature, entry.index)
    assert desk.alarm() is AlarmKind.DECISION_ALTERED


async def test_an_own_decision_that_is_not_there_at_all_is_an_alarm(desk: Desk) -> None:
    witness = await desk.start()
    [entry] = desk.ledger.grow(1)
    await witness.expect(b'{"n":1}', b"s" * 64, entry.index)
    await witness.follow([entry])
    assert desk.alarm() is AlarmKind.DECISION_ALTERED


async def test_an_own_decision_in_a_part_that_was_passed_over_is_counted(desk: Desk) -> None:
    witness = await desk.start()
    await witness.expect(b'{"n":1}', b"s" * 64, 2)
    await witness.expect(b'{"n":2}', b"s" * 64, 7)
    desk.ledger.grow(5)
    await witness.follow([Snapshot(10, ())])
    assert (witness.status.confirmed, witness.status.unconfirmed) == (0, 2)


def root_leaf(key: SigningKey) -> str:
    device = device_key()
    leaf = Leaf(
        entry_id=UUID(int=77), time=START, actor=f"user:{device.user}", device=device.id,
        action="device.enrolled", subject=f"device:{device.id}", before=None, after=None,
        facts={"root": True, "public_key": base64.b64encode(key.public).decode()},
        signed=Signed(b"{}", b"s" * 64),
    )  # fmt: skip
    return encode(leaf).decode()


async def test_the_root_device_is_pinned_once(desk: Desk) -> None:
    witness = await desk.start()
    await witness.pin_roots([fingerprint(KEY.public)])
    await witness.pin_roots([fingerprint(KEY.public)])
    await witness.follow([desk.ledger.add(root_leaf(KEY))])
    assert desk.alarm() is None
    assert (await desk.open()).status.root_devices == (fingerprint(KEY.public),)
    await desk.witness.pin_roots([fingerprint(KEY.public), fingerprint(OTHER_KEY.public)])
    assert desk.alarm() is AlarmKind.ROOT_DEVICE_CHANGED


async def test_another_root_device_in_the_ledger_is_an_alarm(desk: Desk) -> None:
    witness = await desk.start()
    await witness.pin_roots([fingerprint(KEY.public)])
    await witness.follow([desk.ledger.add(root_leaf(OTHER_KEY))])
    assert desk.alarm() is AlarmKind.ROOT_DEVICE_CHANGED


async def test_a_root_that_a_person_made_here_is_no_news(desk: Desk) -> None:
    witness = await desk.start()
    ours, theirs = fingerprint(OTHER_KEY.public), fingerprint(KEY.public)
    await witness.pin_roots([theirs])
    await witness.trust_root(ours)
    await witness.follow([desk.ledger.add(root_leaf(OTHER_KEY))])
    await witness.pin_roots([theirs, ours])
    assert desk.alarm() is None
    assert witness.status.root_devices == (theirs, ours)


async def test_a_root_that_was_not_made_after_all_is_news_again(desk: Desk) -> None:
    witness = await desk.start()
    await witness.pin_roots([fingerprint(KEY.public)])
    await witness.trust_root(fingerprint(OTHER_KEY.public))
    await witness.trust_root(fingerprint(OTHER_KEY.public), trusted=False)
    await witness.follow([desk.ledger.add(root_leaf(OTHER_KEY))])
    assert desk.alarm() is AlarmKind.ROOT_DEVICE_CHANGED


async def test_where_no_root_was_known_the_first_one_is_taken(desk: Desk) -> None:
    witness = await desk.start()
    await witness.pin_roots([])
    assert not witness.status.root_devices
    await witness.pin_roots([fingerprint(KEY.public)])
    assert desk.alarm() is None
    assert list(witness.status.root_devices) == [fingerprint(KEY.public)]


async def test_the_file_of_an_older_console_is_understood(desk: Desk) -> None:
    await desk.start()
    kept = json.loads(desk.path.read_text())
    del kept["root_devices"]
    desk.path.write_text(json.dumps(kept | {"version": 1, "root_device": "abcd ef01"}))
    assert (await desk.open()).status.root_devices == ("abcd ef01",)
