"""The sealed copy of the pending list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from core.client.errors import OfflineCopyError
from core.client.offline_copy import CopyFile, OfflineCopy
from core.domain.roles import Role
from core.protocol.messages import Device, DeviceState, User, Workspace
from tests.client.build import OFFICER, START, Clock, device_key
from tests.client.queueing import OTHER_SEALER, SEALER
from tests.protocol.build import EPOCH, row

COPY = OfflineCopy(
    officer=User(id=OFFICER, name="T. Mokoena", roles=(Role.OFFICER,)),
    workspace=Workspace(
        name="Coast College",
        demo=False,
        threshold_cents=500_000,
        checkpoint_name="coast.example",
        checkpoint_key="AAAA",
        root_fingerprints=("aa bb",),
    ),
    device=Device(
        id=device_key().id,
        user=OFFICER,
        state=DeviceState.ENROLLED,
        fingerprint="aa bb",
        root=False,
        next_n=7,
    ),
    rows=(row(1), row(2, version=4)),
    as_of=START,
    next_index=42,
    epoch=EPOCH,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "copy"


def copy_file(path: Path) -> CopyFile:
    return CopyFile(path, SEALER, Clock())


def test_what_was_saved_is_loaded(path: Path) -> None:
    assert copy_file(path).load() is None
    copy_file(path).save(COPY)
    file = copy_file(path)
    assert file.load() == COPY
    assert file.aside is None
    newer = replace(COPY, rows=(), next_index=43)
    file.save(newer)
    assert copy_file(path).load() == newer


def test_a_name_with_a_line_separator_stays_in_its_row(path: Path) -> None:
    student = row(1).student.model_copy(update={"name": "Thandi\u2028Mokoena\x85"})
    copy = replace(COPY, rows=(row(1).model_copy(update={"student": student}), row(2)))
    copy_file(path).save(copy)
    assert copy_file(path).load() == copy


def test_the_file_is_private_and_holds_nothing_to_read(path: Path) -> None:
    copy_file(path).save(COPY)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o077 == 0
    content = path.read_bytes()
    for text in (b"Mokoena", b"thandi@", b"K7QM3XRA", b"Coast"):
        assert text not in content


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other text", "wrong rows"])
def test_a_damaged_copy_is_set_aside_and_a_new_one_can_be_saved(path: Path, damage: str) -> None:
    copy_file(path).save(COPY)
    content = path.read_bytes()
    text = SEALER.open(content, "offline-copy/1")
    assert text is not None
    bad = {
        "cut": content[:-9],
        "flipped": content[:50] + bytes([content[50] ^ 1]) + content[51:],
        "empty": b"",
        "other text": SEALER.seal("{}", "offline-copy/1"),
        "wrong rows": SEALER.seal(text.rsplit("\n", 1)[0], "offline-copy/1"),
    }[damage]
    path.write_bytes(bad)
    file = copy_file(path)
    assert file.load() is None
    assert file.aside is not None
    assert file.aside.read_bytes() == bad
    assert file.load() is None
    file.save(COPY)
    assert file.load() == COPY


def test_a_copy_of_another_key_is_set_aside(path: Path) -> None:
    CopyFile(path, OTHER_SEALER).save(COPY)
    file = copy_file(path)
    assert file.load() is None
    assert file.aside is not None
    assert CopyFile(file.aside, OTHER_SEALER).load() == COPY


def test_two_that_are_set_aside_in_one_second_are_both_kept(path: Path) -> None:
    path.parent.mkdir()
    file = copy_file(path)
    kept = []
    for content in (b"first", b"second"):
        path.write_bytes(content)
        file.load()
        kept.append(file.aside)
    assert [one.read_bytes() for one in kept if one is not None] == [b"first", b"second"]


def test_a_disk_that_fails_is_a_typed_error_and_the_old_copy_stays(path: Path) -> None:
    copy_file(path).save(COPY)
    with pytest.raises(OfflineCopyError, match="cannot be written"):
        copy_file(path / "below").save(COPY)
    with pytest.raises(OfflineCopyError, match="cannot be read"):
        copy_file(path.parent).load()
    assert copy_file(path).load() == COPY


def test_the_copy_says_whose_list_it_is(path: Path) -> None:
    """The officer is sealed in: whoever opens it can tell."""
    other = replace(COPY, officer=User(id=UUID(int=5), name="P. Naidoo", roles=(Role.OFFICER,)))
    copy_file(path).save(other)
    loaded = copy_file(path).load()
    assert loaded is not None
    assert loaded.officer.id == UUID(int=5)
