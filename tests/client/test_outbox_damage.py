"""Bad files: what cannot be read is set aside, never deleted, and told; the rest goes on."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.client.errors import OutboxError
from core.client.outbox import OutboxState
from core.client.outbox_file import OutboxFile
from core.domain.decisions import Verdict
from tests.client.build import OFFICER, START
from tests.client.old_outbox import write_old
from tests.client.queueing import (
    DEVICE,
    OTHER_SEALER,
    SEALER,
    WORDS,
    decide,
    edit,
    fill,
    ids,
    kept_files,
    only_notice,
    opened,
    taken,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "o.db"


# --- files ---


@pytest.mark.parametrize(
    "content", [b"", b"no database at all" * 300, b"SQLite format 3\x00" + b"\xff" * 9000]
)
def test_a_file_that_is_no_queue_is_kept_and_a_new_one_begun(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with opened(path) as file:
        notice = only_notice(file)
        assert "damaged" in notice.message
        assert (notice.at, notice.path) == (START, path.with_name("o.db.aside-20260302T104200Z"))
        decide(file, 1)
        assert ids(taken(file)) == [1]
    [kept] = kept_files(path)
    assert kept.read_bytes() == content
    assert kept.stat().st_mode & 0o077 == 0


def test_a_second_damaged_file_does_not_overwrite_the_first(path: Path) -> None:
    for content in (b"first", b"second"):
        path.write_bytes(content)
        with opened(path):
            pass
    assert [kept.read_bytes() for kept in kept_files(path)] == [b"first", b"second"]


def test_a_database_of_something_else_is_kept(path: Path) -> None:
    edit(path, "CREATE TABLE recipes (name TEXT)")
    content = path.read_bytes()
    with opened(path) as file:
        assert only_notice(file).path is not None
    assert kept_files(path)[0].read_bytes() == content


def test_a_truncated_file_gives_back_what_is_left_of_it(path: Path) -> None:
    items = fill(path, 60)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    with opened(path) as file:
        left = file.waiting_for(OFFICER)
        assert 10 < len(left) < 60
        assert all(item in items for item in left)
        assert "could not be read" in file.notices()[0].message
        assert decide(file, 100, 100).n == 60
        assert ids(taken(file, limit=100)) == [*ids(left), 100]


def test_a_damaged_head_of_the_file_costs_nothing(path: Path) -> None:
    items = fill(path)
    content = bytearray(path.read_bytes())
    content[:24] = bytes(24)
    path.write_bytes(content)
    with opened(path) as file:
        assert file.waiting_for(OFFICER) == items
        assert "3 decisions were taken over" in only_notice(file).message


def test_what_only_lies_in_the_log_of_the_file_is_taken_over_too(path: Path) -> None:
    """The console was killed, so that the last decisions are in the write-ahead log alone."""
    with opened(path) as file:
        items = [decide(file, number, number) for number in (1, 2)]
        copies = {side: path.with_name(f"o.db{side}").read_bytes() for side in ("", "-wal")}
    place = path.parent / "killed"
    place.mkdir()
    copies[""] = bytes([0]) + copies[""][1:]
    for side, content in copies.items():
        place.joinpath(f"o.db{side}").write_bytes(content)
    with opened(place / "o.db") as file:
        assert file.waiting_for(OFFICER) == items
        assert only_notice(file).path is not None
        assert ids(taken(file)) == [1, 2]


def test_a_log_without_its_file_is_never_applied_to_a_new_one(path: Path) -> None:
    path.with_name("o.db-wal").write_bytes(b"log" * 99)
    with opened(path) as file:
        assert "damaged" in only_notice(file).message
    [kept] = kept_files(path)
    assert (kept.name[-4:], kept.read_bytes()) == ("-wal", b"log" * 99)


@pytest.mark.parametrize("seed", range(4))
def test_no_flipped_bit_loses_a_decision_silently(path: Path, seed: int) -> None:
    items = fill(path, 4)
    content = path.read_bytes()
    chance = random.Random(seed)
    for turn in range(6):
        # The head of the file and the description of its tables are small, and say the most.
        place = chance.randrange((110, 4096, len(content))[turn % 3])
        flipped = bytearray(content)
        flipped[place] ^= 1 << chance.randrange(8)
        file_path = path.with_name(f"{turn}.db")
        file_path.write_bytes(flipped)
        with opened(file_path) as file:
            found = {item.id: item for item in file.waiting_for(OFFICER)}
            whole = all(found.get(item.id) == item for item in items)
            assert whole or file.notices(), f"byte {place} of seed {seed}"
            assert set(found) <= {item.id for item in items}
            sent = {item.id for item in taken(file)}
            assert sent == set(found)


def test_a_newer_file_is_refused_and_untouched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE items (everything TEXT)")
        db.execute("PRAGMA user_version = 3")
    content = path.read_bytes()
    with pytest.raises(OutboxError, match="newer version"):
        OutboxFile(path, SEALER)
    assert path.read_bytes() == content
    assert kept_files(path) == []
    with pytest.raises(OutboxError, match="newer version"):  # and nobody holds its lock
        OutboxFile(path, SEALER)


# --- keys ---


def test_a_file_of_another_key_is_kept_whole(path: Path) -> None:
    items = fill(path)
    content = path.read_bytes()
    with opened(path, OTHER_SEALER) as file:
        notice = only_notice(file)
        assert "another key" in notice.message
        assert file.waiting_for(OFFICER) == []
        assert decide(file, 10).n == 3
        other_path = notice.path
    assert other_path is not None
    assert other_path.read_bytes() == content
    with opened(other_path) as file:  # it opens again with its own key
        assert file.waiting_for(OFFICER) == items


def test_an_empty_file_of_another_key_is_no_news(path: Path) -> None:
    with opened(path) as file:
        file.learn_next_n(DEVICE, 7)
    with opened(path, OTHER_SEALER) as file:
        assert file.notices() == ()
        assert decide(file, 1).n == 7
    with opened(path, OTHER_SEALER) as file:
        assert ids(taken(file)) == [1]


def test_damaged_words_of_the_key_are_not_taken_for_another_key(path: Path) -> None:
    items = fill(path)
    edit(path, "UPDATE meta SET value = x'00'")
    for _ in range(2):
        with opened(path) as file:
            assert file.waiting_for(OFFICER) == items
            assert file.notices() == ()


# --- the format before ---


def test_a_file_of_the_first_version_is_taken_over(path: Path) -> None:
    write_old(path, SEALER, ["queued", "sending", "accepted", "refused", "needs_person"])
    with opened(path) as file:
        assert file.notices() == ()
        first, second, refused, stuck = file.open_for(OFFICER)
        assert (first.state, second.state) == (OutboxState.QUEUED, OutboxState.QUEUED)
        assert first.note is not None
        assert (first.note.text, first.note_lost, first.shown) == (WORDS, False, None)
        assert (first.n, first.attempts, first.created_at) == (0, 2, START)
        assert (first.verdict, first.reference, first.cents) == (
            Verdict.APPROVE, "K7QM3XRA", 125_000,
        )  # fmt: skip
        assert (first.reason_code, first.reason_message) == ("busy", "Busy.")
        assert (refused.is_settled, stuck.is_settled) == (True, False)
        [accepted] = file.history_for(OFFICER, 10)
        assert accepted.answer is not None
        assert (accepted.answer.index, accepted.settled_at) == (5, START)
        assert decide(file, 20, 20).n == 40
        assert ids(taken(file)) == [1, 2, 20]
    assert b"K7QM3XRA" not in path.read_bytes()
    assert {file.name for file in path.parent.iterdir()} == {"o.db", "o.db.lock"}


def test_an_old_file_of_another_key_keeps_the_decisions_without_their_words(path: Path) -> None:
    write_old(path, OTHER_SEALER, ["queued"])
    with opened(path) as file:
        [item] = taken(file)
        assert (item.note, item.note_lost) == (None, True)


def test_an_old_row_without_sense_is_kept_in_the_old_file(path: Path) -> None:
    write_old(path, SEALER, ["queued", "queued", "queued"])
    edit(path, "UPDATE items SET state = 'nonsense' WHERE seq = 2")
    with opened(path) as file:
        assert ids(taken(file)) == [1, 3]
        assert "1 could not be read" in only_notice(file).message
    assert len(kept_files(path)) == 1
