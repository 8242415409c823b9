"""Checkpoints: signed, consistent, and refused for a ledger that was rewound or altered."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Connection, Executable, text

from core.backend.services.errors import InvalidError, NotFoundError
from core.backend.services.identities import StudentIdentity
from core.backend.storage.tables import ledger_nodes
from core.ledger.checkpoint import open_checkpoint
from core.ledger.merkle import verify_consistency
from core.ledger.tree import root_from_peaks
from tests.support.live_template import DATABASE, Template
from tests.support.watch import ExpectedLogs
from tests.support.workspace import House, open_house

both_engines = pytest.mark.both_engines


def _state(house: House) -> Path:
    return house.services.config.state_dir / "last-checkpoint.json"


async def _sign(house: House) -> int:
    size = house.size()
    assert await house.services.signer.sign(size) is not None
    return size


@both_engines
async def test_the_head_is_signed_and_its_peaks_make_its_root(house: House) -> None:
    with pytest.raises(NotFoundError):
        await house.services.signer.head()
    size = await _sign(house)
    await house.claim()
    head = await house.services.signer.head()
    opened = open_checkpoint(head.note, "bursar/ledger", house.services.signer.public)
    peaks = [base64.b64decode(peak) for peak in head.peaks]
    assert (opened.size, head.size, opened.origin) == (size, size, "bursar/ledger")
    assert root_from_peaks(peaks) == opened.root
    workspace = await house.services.workspace.current()
    assert base64.b64decode(workspace.checkpoint_key) == house.services.signer.public


@both_engines
async def test_a_size_is_signed_once(house: House) -> None:
    size = await _sign(house)
    assert await house.services.signer.sign(size) is None
    assert await house.services.signer.sign(0) is None
    assert house.services.signer.stopped is None


@both_engines
async def test_consistency_between_two_checkpoints(house: House) -> None:
    signer = house.services.signer
    first = await _sign(house)
    old = open_checkpoint((await signer.head()).note, "bursar/ledger", signer.public)
    for _ in range(3):
        await house.claim()
    second = await _sign(house)
    new = open_checkpoint((await signer.head()).note, "bursar/ledger", signer.public)
    proof = await signer.consistency(first, second)
    hashes = [base64.b64decode(h) for h in proof.hashes]
    verify_consistency(first, second, hashes, old.root, new.root)


@both_engines
@pytest.mark.parametrize(("size1", "size2"), [(0, 3), (3, 2), (1, 10**9)])
async def test_there_is_no_proof_between_any_sizes(house: House, size1: int, size2: int) -> None:
    with pytest.raises(InvalidError):
        await house.services.signer.consistency(size1, size2)


@both_engines
async def test_it_goes_on_after_a_restart(live_template: Template, tmp_path: Path) -> None:
    async with open_house(live_template, tmp_path / "h") as house:
        await house.claim()
        size = await _sign(house)
    async with open_house(live_template, tmp_path / "h") as house:
        assert (await house.services.signer.sign(size)) is not None  # the one that was there
        await house.claim()
        assert await _sign(house) > size
        assert house.services.signer.stopped is None


async def test_a_rewound_database_is_not_signed(
    live_template: Template, tmp_path: Path, expected_logs: ExpectedLogs
) -> None:
    """A backup is restored below our own memory of what was signed: no new history is begun."""
    folder, backup = tmp_path / "h", tmp_path / "backup.sqlite3"
    async with open_house(live_template, folder) as house:
        student = await house.student()
    shutil.copy(folder / DATABASE, backup)
    async with open_house(live_template, folder) as house:
        await house.claim()
        signed = await _sign(house)
    for name in ("", "-wal", "-shm"):
        (folder / (DATABASE + name)).unlink(missing_ok=True)
    shutil.copy(backup, folder / DATABASE)
    async with open_house(live_template, folder) as house:
        with expected_logs("not signed any more"):
            assert await house.services.signer.sign(house.size()) is None
        assert f"{signed} were signed before" in str(house.services.signer.stopped)
        await _grow_past(house, student, signed)
        # Longer again, and yet another history: it stays stopped, after a restart, too.
        assert await house.services.signer.sign(house.size()) is None
    async with open_house(live_template, folder) as house:
        with expected_logs("not signed any more"):
            assert await house.services.signer.sign(house.size()) is None
        assert "not the ones that are stored now" in str(house.services.signer.stopped)


async def _grow_past(house: House, student: StudentIdentity, size: int) -> None:
    await house.claim(student)
    while house.size() <= size:
        await house.student()


@both_engines
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (ledger_nodes.update().values(hash=bytes(32)), "not the ones"),
        (ledger_nodes.delete(), "damaged"),
    ],
    ids=["altered", "deleted"],
)
async def test_an_altered_tree_is_not_signed(
    live_template: Template, tmp_path: Path, expected_logs: ExpectedLogs,
    statement: Executable, message: str,
) -> None:  # fmt: skip
    async with open_house(live_template, tmp_path / "h") as house:
        await house.claim()
        await _sign(house)
        with house.services.engine.begin() as connection:
            _allow_changes(connection)
            connection.execute(statement)
    async with open_house(live_template, tmp_path / "h") as house:
        with expected_logs("not signed any more"):
            assert await house.services.signer.sign(house.size()) is None
        assert message in str(house.services.signer.stopped)


def _allow_changes(connection: Connection) -> None:
    """What only somebody can do who owns the database."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE ledger_nodes DISABLE TRIGGER ALL"))
        return
    for name in ("ledger_nodes_no_update", "ledger_nodes_no_delete"):
        connection.execute(text(f"DROP TRIGGER {name}"))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"note": 1}', '{"note": "forged"}'])
@both_engines
async def test_a_damaged_memory_stops_signing(
    house: House, expected_logs: ExpectedLogs, content: str
) -> None:
    await _sign(house)
    _state(house).write_text(content)
    await house.claim()
    with expected_logs("cannot be read"):
        assert await house.services.signer.sign(house.size()) is None


@both_engines
async def test_the_memory_is_written_whole(house: House) -> None:
    size = await _sign(house)
    note = json.loads(_state(house).read_text())["note"]
    assert open_checkpoint(note, "bursar/ledger", house.services.signer.public).size == size
    assert [p.name for p in _state(house).parent.glob("last-checkpoint*")] == [_state(house).name]
