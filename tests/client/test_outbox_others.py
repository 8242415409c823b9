"""Queue files beside the one in use: counted without their key, brought over whole, never lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from core.client.errors import OutboxError
from core.client.outbox import OutboxState
from core.client.outbox_others import give_up, take_over, waiting_in
from core.client.sealing import Sealer
from tests.client.build import OFFICER, START
from tests.client.old_outbox import write_old
from tests.client.queueing import (
    COLLEAGUE,
    DEVICE,
    OTHER_SEALER,
    SEALER,
    decide,
    edit,
    fill,
    ids,
    kept_files,
    only_notice,
    opened,
    settle,
    take_back,
    taken,
)

KEPT = "other.db.aside-20260302T104200Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "o.db"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return tmp_path / "other.db"


def take(path: Path, other: Path, sealer: Sealer = SEALER) -> bool:
    """Bring `other` over into the queue at `path`, which has a key of its own."""
    with opened(path, OTHER_SEALER) as file:
        return take_over(file, other, sealer, START)


def content(path: Path) -> dict[str, bytes]:
    return {found.name: found.read_bytes() for found in path.parent.glob(f"{path.name}*")}


# --- counting ---


def test_what_waits_is_counted_by_officer_without_the_key(other: Path) -> None:
    with opened(other) as file:
        for number in (1, 2, 3, 4):
            decide(file, number, number)
        decide(file, 5, 5, officer=COLLEAGUE)
        settle(file, file.get(taken(file, limit=1)[0].id))
        file.give_to_person(taken(file, limit=1)[0].id, code="c", message="m")
        take_back(file, file.get(file.waiting_for(OFFICER)[0].id), 9)
        # One waits, one needs a person, one is being withdrawn; the fifth is somebody else's.
        assert waiting_in(other) == {OFFICER: 3, COLLEAGUE: 1}


def test_counting_changes_nothing_and_takes_no_lock(other: Path) -> None:
    fill(other)
    before = content(other)
    assert waiting_in(other) == {OFFICER: 3}
    assert content(other) == before
    with opened(other):
        assert waiting_in(other) == {OFFICER: 3}  # while a console has it open
    assert sorted(found.name for found in other.parent.iterdir()) == sorted(before)


def test_what_only_lies_in_the_log_is_counted_too(other: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed.db"
    with opened(other) as file:
        decide(file, 1)
        for side in ("", "-wal"):
            source = other.with_name(other.name + side)
            killed.with_name(killed.name + side).write_bytes(source.read_bytes())
    assert waiting_in(killed) == {OFFICER: 1}


@pytest.mark.parametrize("words", [None, b"", b"no database at all" * 300])
def test_what_is_no_queue_holds_nothing(other: Path, words: bytes | None) -> None:
    if words is not None:
        other.write_bytes(words)
    assert waiting_in(other) == {}


def test_a_damaged_name_is_still_somebodys(other: Path) -> None:
    fill(other)
    edit(other, "UPDATE items SET officer = 'nobody' WHERE n = 0")
    assert sum(waiting_in(other).values()) == 3


def test_a_file_that_cannot_be_read_is_an_error_in_words(other: Path) -> None:
    other.mkdir()
    with pytest.raises(OutboxError, match="cannot be read"):
        waiting_in(other)


# --- bringing over ---


def test_everything_comes_as_it_was_signed_and_the_file_is_kept(path: Path, other: Path) -> None:
    with opened(other) as file:
        decide(file, 1, 1)
        decide(file, 2, 2)
        decide(file, 3, 3, officer=COLLEAGUE)
        decided = settle(file, taken(file, limit=1)[0])
        sending = taken(file)[0]
        assert sending.state is OutboxState.SENDING
        items = [decided, file.get(sending.id), *file.waiting_for(COLLEAGUE)]
    whole = other.read_bytes()
    with opened(path, OTHER_SEALER) as file:
        own = decide(file, 10, 1, device=OFFICER)
        assert take_over(file, other, SEALER, START)
        expected = [own, *(item for item in items if item.id == sending.id)]
        assert [item.id for item in file.waiting_for(OFFICER)] == [item.id for item in expected]
        came = file.get(sending.id)
        assert came.state is OutboxState.QUEUED
        assert (came.device, came.n, came.payload, came.signature, came.note) == (
            sending.device, sending.n, sending.payload, sending.signature, sending.note,
        )  # fmt: skip
        assert file.get(decided.id) == decided
        assert file.others_waiting(OFFICER) == 1
        assert decide(file, 11, 11).n == 3  # no number twice
        notice = only_notice(file)
        assert "3 decisions" in notice.message
        assert notice.path == other.with_name(KEPT)
    assert not other.exists()
    assert other.with_name(KEPT).read_bytes() == whole
    assert waiting_in(other) == {}


def test_an_attempt_that_broke_off_brings_nothing_twice(path: Path, other: Path) -> None:
    fill(other)
    again = other.read_bytes()
    assert take(path, other)
    with opened(path, OTHER_SEALER) as file:
        first = settle(file, taken(file, limit=1)[0])
    other.write_bytes(again)  # the computer stopped before it was set aside
    assert take(path, other)
    with opened(path, OTHER_SEALER) as file:
        assert file.get(first.id) == first
        assert ids(file.waiting_for(OFFICER)) == [2, 3]
    assert len(kept_files(other)) == 2


def test_a_number_that_was_used_again_is_told(path: Path, other: Path) -> None:
    fill(other, 2)
    with opened(path, OTHER_SEALER) as file:
        own = decide(file, 50, 50)  # the same device's first number
        assert own.n == 0
        assert take_over(file, other, SEALER, START)
        assert ids(file.waiting_for(OFFICER)) == [50, 2]
        assert "1 decision could not: the number was used again" in only_notice(file).message


def test_a_file_of_the_format_before_is_brought_over_too(path: Path, other: Path) -> None:
    write_old(other, SEALER, ["queued", "accepted"])
    assert waiting_in(other) == {OFFICER: 1}
    assert take(path, other)
    with opened(path, OTHER_SEALER) as file:
        assert file.unanswered() == 1


def test_rows_that_cannot_be_read_are_told_of_with_the_rest(path: Path, other: Path) -> None:
    fill(other)
    edit(other, "UPDATE items SET content = x'00' WHERE n = 1")
    assert take(path, other)
    with opened(path, OTHER_SEALER) as file:
        assert ids(file.waiting_for(OFFICER)) == [1, 3]
        told = [notice.message for notice in file.notices()]
        assert any(
            "1 decision in the outbox of this computer cannot be read" in one for one in told
        )
        assert any("2 decisions from another queue" in one for one in told)


def test_another_key_brings_nothing_and_changes_nothing(path: Path, other: Path) -> None:
    fill(other)
    before = other.read_bytes()
    assert not take(path, other, Sealer(b"z" * 32))
    assert other.read_bytes() == before
    with opened(path, OTHER_SEALER) as file:
        assert file.unanswered() == 0
        assert file.notices() == ()


@pytest.mark.parametrize("way", [take_over, None], ids=["take_over", "give_up"])
def test_a_file_that_another_console_has_open_is_left_to_it(
    path: Path, other: Path, way: object
) -> None:
    with opened(other) as theirs:
        decide(theirs, 1)
        with opened(path, OTHER_SEALER) as file:
            if way is take_over:
                assert not take_over(file, other, SEALER, START)
            else:
                assert not give_up(file, other, START)
            assert file.unanswered() == 0
        assert ids(theirs.waiting_for(OFFICER)) == [1]
    assert kept_files(other) == []


def test_what_nobody_can_open_any_more_is_set_aside_and_told(path: Path, other: Path) -> None:
    fill(other)
    with opened(path, OTHER_SEALER) as file:
        assert give_up(file, other, START)
        notice = only_notice(file)
        assert notice.message.startswith("3 decisions in another queue")
        assert notice.path == other.with_name(KEPT)
    assert waiting_in(other.with_name(KEPT)) == {OFFICER: 3}
    assert not other.exists()


def test_the_other_file_can_be_begun_anew(path: Path, other: Path) -> None:
    fill(other)
    assert take(path, other)
    with opened(other, SEALER, lambda: START + timedelta(days=1)) as file:
        assert file.notices() == ()
        file.learn_next_n(DEVICE, 3)
        assert decide(file, 70).n == 3


def test_a_disk_that_fails_midway_loses_nothing(
    path: Path, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(other)

    def full(*_: object, **__: object) -> Path:
        raise OSError("No space left")

    with opened(path, OTHER_SEALER) as file, monkeypatch.context() as patched:
        patched.setattr("core.client.outbox_others.copy_aside", full)
        with pytest.raises(OSError, match="No space"):
            take_over(file, other, SEALER, START)
    assert waiting_in(other) == {OFFICER: 3}
    assert take(path, other)  # its lock was let go
    with opened(path, OTHER_SEALER) as file:
        assert ids(file.waiting_for(OFFICER)) == [1, 2, 3]
