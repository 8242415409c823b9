"""A disk that refuses: verifying goes on in memory, it is told, and saved when there is room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.client.witness_file import AlarmKind, load
from core.protocol.feed import Snapshot
from tests.client.full_disk import no_room
from tests.client.watched import Desk, Ledger


@pytest.fixture
def ledger() -> Ledger:
    made = Ledger()
    made.grow(5)
    return made


@pytest.fixture
def desk(tmp_path: Path, ledger: Ledger) -> Desk:
    return Desk(tmp_path, ledger)


def saved_to(desk: Desk) -> int:
    contact = load(desk.path).contact
    return 0 if contact is None else contact.verified.size


def is_owing(desk: Desk) -> bool:
    return desk.witness.owes


async def test_a_full_disk_is_told_once_and_verifying_goes_on(desk: Desk) -> None:
    witness = await desk.start()
    with no_room():
        await witness.follow([*desk.ledger.grow(3), desk.ledger.checkpoint()])
        assert desk.verified_to() == 8
        assert witness.status.trouble == "This computer has no room left on its disk."
        assert desk.told[-1] == witness.status
        assert is_owing(desk)
        told = len(desk.told)
        await witness.catch_up()
        assert len(desk.told) == told
    assert saved_to(desk) == 5
    await witness.catch_up()
    assert saved_to(desk) == 8
    assert not is_owing(desk)
    assert desk.told[-1] == witness.status
    assert witness.status.trouble == ""


async def test_whatever_comes_next_saves_it_too(desk: Desk) -> None:
    witness = await desk.start()
    with no_room():
        await witness.follow([*desk.ledger.grow(3), desk.ledger.checkpoint()])
    await witness.follow(desk.ledger.grow(1))
    assert saved_to(desk) == 8
    assert witness.status.trouble == ""


async def test_another_trouble_of_the_disk_is_not_called_a_full_one(desk: Desk) -> None:
    witness = await desk.start()
    desk.path.unlink()
    desk.path.mkdir()
    await witness.follow([*desk.ledger.grow(1), desk.ledger.checkpoint()])
    assert witness.status.trouble == "This computer's disk cannot be written."
    assert desk.verified_to() == 6


async def test_what_a_person_does_counts_on_a_full_disk_too(desk: Desk) -> None:
    witness = await desk.open()
    with no_room():
        await witness.meet(desk.ledger.workspace())
        await witness.accept_first_contact()
        await witness.pin_roots(["aa"])
        assert desk.verified_to() == 5
    await witness.catch_up()
    assert (saved_to(desk), load(desk.path).root_devices) == (5, ("aa",))


async def test_an_alarm_is_sounded_and_its_evidence_written_when_there_is_room(desk: Desk) -> None:
    witness = await desk.start()
    del desk.ledger.leaves[4:]
    with no_room():
        await witness.follow([Snapshot(4, ())])
        await witness.catch_up()
        assert desk.alarm() is AlarmKind.REWOUND
        alarm = desk.told[-1].alarm
        assert alarm is not None
        assert alarm.evidence == ""
        assert [path.name for path in desk.path.parent.iterdir()] == [desk.path.name]
    await witness.catch_up()
    alarm = desk.told[-1].alarm
    assert alarm is not None
    assert alarm.evidence == "witness-evidence-rewound-1.json"
    assert json.loads(desk.path.with_name(alarm.evidence).read_text())["kind"] == "rewound"
    assert load(desk.path).alarm == alarm


async def test_evidence_is_kept_although_a_person_accepted_the_alarm_before(desk: Desk) -> None:
    witness = await desk.start()
    del desk.ledger.leaves[4:]
    with no_room():
        await witness.follow([Snapshot(4, ())])
    await witness.accept_alarm()
    assert desk.alarm() is None
    assert desk.path.with_name("witness-evidence-rewound-1.json").exists()
