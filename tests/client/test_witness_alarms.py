"""The witness against ledgers that forget and lie, and files that were touched."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.client.witness import WitnessState
from core.client.witness_file import AlarmKind
from core.protocol.feed import CheckpointSeen, Entry, Snapshot
from core.protocol.messages import LedgerHead
from tests.client.watched import OTHER_KEY, Desk, Ledger


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


# --- lies ---


async def test_an_altered_leaf_on_the_way_is_an_alarm_at_the_next_checkpoint(desk: Desk) -> None:
    witness = await desk.start()
    one, two = desk.ledger.grow(2)
    altered = Entry(one.index, one.leaf.replace("leaf", "lead"), None)
    await witness.follow([altered, two, desk.ledger.checkpoint()])
    assert desk.alarm() is AlarmKind.FORKED
    assert desk.verified_to() == 5


async def test_a_rewound_ledger_is_an_alarm_with_both_notes_kept(desk: Desk) -> None:
    await desk.start()
    ours = desk.ledger.note()
    del desk.ledger.leaves[3:]
    witness = await desk.open()
    await witness.meet(desk.ledger.workspace())
    assert desk.alarm() is AlarmKind.REWOUND
    evidence = desk.evidence()
    assert evidence["our_note"] == ours
    assert evidence["theirs"] == desk.ledger.note()
    assert "cut off" in str(evidence["message"])


async def test_a_snapshot_of_a_shorter_ledger_is_an_alarm(desk: Desk) -> None:
    witness = await desk.start()
    del desk.ledger.leaves[3:]
    await witness.follow([Snapshot(3, ())])
    assert desk.alarm() is AlarmKind.REWOUND


async def test_a_snapshot_that_was_on_its_way_while_more_was_verified_is_none(desk: Desk) -> None:
    """A slow network: the signed head came before the list that was sent earlier."""
    witness = await desk.start()
    verified = desk.verified_to()
    await witness.follow([Snapshot(4, ())])
    assert (desk.alarm(), desk.verified_to()) == (None, verified)
    await witness.follow([*desk.ledger.grow(2), desk.ledger.checkpoint()])
    assert (desk.alarm(), desk.verified_to()) == (None, len(desk.ledger.leaves))


@pytest.mark.parametrize("more", [0, 1, 7])
async def test_a_changed_past_is_an_alarm(desk: Desk, more: int) -> None:
    await desk.start()
    desk.ledger.leaves[2] = '{"forged":1,"signed":null}'
    desk.ledger.grow(more)
    witness = await desk.open()
    await witness.meet(desk.ledger.workspace())
    assert desk.alarm() is AlarmKind.FORKED
    assert desk.verified_to() == 5


async def test_a_second_checkpoint_of_one_size_is_an_alarm(desk: Desk) -> None:
    witness = await desk.start()
    desk.ledger.leaves[0] = '{"forged":1,"signed":null}'
    await witness.follow([desk.ledger.checkpoint()])
    assert desk.alarm() is AlarmKind.FORKED


async def test_another_key_another_epoch_and_another_origin_are_alarms(
    tmp_path: Path, ledger: Ledger
) -> None:
    for field, value, kind in (
        ("key", OTHER_KEY, AlarmKind.KEY_CHANGED),
        ("epoch", UUID(int=0xF), AlarmKind.OTHER_LEDGER),
    ):
        desk = Desk(tmp_path / field, Ledger())
        desk.ledger.leaves = list(ledger.leaves)
        await desk.start()
        setattr(desk.ledger, field, value)
        await desk.open()
        await desk.witness.meet(desk.ledger.workspace())
        assert desk.alarm() is kind
    desk = Desk(tmp_path / "origin", ledger)
    witness = await desk.start()
    await witness.follow(
        [*ledger.grow(1), CheckpointSeen(6, ledger.note(origin="elsewhere.test/ledger"))]
    )
    assert desk.alarm() is AlarmKind.OTHER_LEDGER


@pytest.mark.parametrize("wrong", ["signature", "size", "junk"])
async def test_a_bad_checkpoint_is_an_alarm(desk: Desk, wrong: str) -> None:
    witness = await desk.start()
    desk.ledger.grow(1)
    seen = {
        "signature": CheckpointSeen(6, desk.ledger.note().replace("\n6\n", "\n7\n")),
        "size": CheckpointSeen(6, desk.ledger.note(5)),
        "junk": CheckpointSeen(6, "junk"),
    }[wrong]
    await witness.follow([seen])
    assert desk.alarm() is AlarmKind.BAD_CHECKPOINT


@pytest.mark.parametrize("peaks", [(), ("AAAA",), ("no base64!",)])
async def test_peaks_that_do_not_give_the_root_are_an_alarm(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, peaks: tuple[str, ...]
) -> None:
    honest = desk.ledger.ledger_head

    async def lying() -> LedgerHead:
        return (await honest()).model_copy(update={"peaks": peaks})

    monkeypatch.setattr(desk.ledger, "ledger_head", lying)
    witness = await desk.open()
    await witness.meet(desk.ledger.workspace())
    assert desk.alarm() is AlarmKind.BAD_CHECKPOINT


async def test_an_alarm_stays_until_a_person_accepts_it(desk: Desk) -> None:
    await desk.start()
    desk.ledger.leaves[2] = '{"forged":1,"signed":null}'
    await desk.open()
    await desk.witness.meet(desk.ledger.workspace())
    witness = await desk.open()
    assert state(desk) == "alarm"
    told = len(desk.told)
    await witness.follow([*desk.ledger.grow(1), desk.ledger.checkpoint()])
    await witness.meet(desk.ledger.workspace())
    await witness.accept_first_contact()
    await witness.pin_roots(["x"])
    assert state(desk) == "alarm"
    assert len(desk.told) == told
    evidence = desk.evidence()
    await witness.accept_alarm()
    assert state(desk) == "new"
    await witness.meet(desk.ledger.workspace())
    assert state(desk) == "first_contact"
    assert desk.verified_to() is None
    assert evidence["kind"] == "forked"
    assert len(list(desk.path.parent.glob("witness-evidence-forked-*.json"))) == 1


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"version": 2}', "\x00", '{"version":1,"contact":{}}']
)
async def test_a_damaged_file_is_an_alarm_and_no_first_contact(desk: Desk, content: str) -> None:
    desk.path.write_text(content)
    await desk.open()
    assert desk.alarm() is AlarmKind.STATE_UNREADABLE


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_file_with_any_value_changed_opens_or_alarms(data: st.DataObject) -> None:
    async def play(folder: str) -> None:
        ledger = Ledger()
        ledger.grow(5)
        desk = Desk(Path(folder), ledger)
        await desk.start()
        fields = json.loads(desk.path.read_text())
        part = fields["contact"]
        key = data.draw(st.sampled_from(sorted(part)))
        part[key] = data.draw(st.sampled_from([None, 5, -1, "x", [], ["x"], {}, True]))
        desk.path.write_text(json.dumps(fields))
        await desk.open()
        assert desk.witness.status.state in WitnessState

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(folder))


async def test_the_files_are_private(desk: Desk) -> None:
    witness = await desk.start()
    del desk.ledger.leaves[1:]
    await witness.follow([Snapshot(1, ())])
    files = list(desk.path.parent.iterdir())
    assert len(files) == 2
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
