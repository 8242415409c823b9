"""The command line: what an administrator does at the machine itself."""

from __future__ import annotations

import base64
import io
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.backend.cli import main
from core.backend.ledger_check import CheckpointKey, verify_ledger
from core.ledger.errors import VerificationError
from core.ledger.keys import SigningKey
from tests.support.live_backend import LiveBackend
from tests.support.live_template import DATABASE, live_config


def _drop_triggers(connection: sqlite3.Connection) -> None:
    triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')


def _alter(database: Path, index: int, old: bytes, new: bytes) -> None:
    """Change one leaf, as somebody with the file in hand would."""
    with closing(sqlite3.connect(database)) as connection, connection:
        _drop_triggers(connection)
        query = 'SELECT leaf FROM ledger_entries WHERE "index" = ?'
        leaf: bytes = connection.execute(query, (index,)).fetchone()[0]
        assert old in leaf
        update = 'UPDATE ledger_entries SET leaf = ? WHERE "index" = ?'
        connection.execute(update, (leaf.replace(old, new), index))


@pytest.fixture
def decided(live_backend: LiveBackend, tmp_path: Path) -> Path:
    """A copy of a database in which things were decided; its backend still runs."""
    device = live_backend.device()
    for claim in live_backend.push_claims(3):
        live_backend.approve(device, claim.enrollment)
    copy = tmp_path / "copy.sqlite3"
    source = sqlite3.connect(live_backend.folder / DATABASE)
    with closing(source), closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return copy


def test_a_whole_ledger_is_verified_and_nothing_is_written(
    decided: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = decided.read_bytes()
    key = SigningKey(live_config(decided.parent).checkpoint_seed)
    public = base64.b64encode(key.public).decode()
    status = main(["ledger", "verify", "--database", str(decided), "--checkpoint-key", public])
    said = capsys.readouterr().out
    assert status == 0
    assert "3 signed decisions" in said
    assert "rightly signed" in said
    assert decided.read_bytes() == before
    assert [path.name for path in decided.parent.glob("copy*")] == [decided.name]


def test_a_running_backends_database_can_be_verified(live_backend: LiveBackend) -> None:
    live_backend.push_claims(2)
    verified = verify_ledger(f"sqlite:///{live_backend.folder / DATABASE}")
    assert verified.report.size == live_backend.size
    assert verified.checkpoint_size is None


@pytest.mark.parametrize(
    ("old", "new"), [(b'"amount_cents":125000', b'"amount_cents":125001'), (b'"v":1', b'"v":2')]
)
def test_one_altered_leaf_is_found_and_named(
    decided: Path, capsys: pytest.CaptureFixture[str], old: bytes, new: bytes
) -> None:
    with closing(sqlite3.connect(decided)) as connection:
        rows = connection.execute('SELECT "index", leaf FROM ledger_entries').fetchall()
    index = max(index for index, leaf in rows if old in leaf)
    _alter(decided, index, old, new)
    assert main(["ledger", "verify", "--database", str(decided)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("NOT VERIFIED: ")
    assert f"entry {index}: " in said


def test_a_cut_off_tail_is_found(decided: Path) -> None:
    with closing(sqlite3.connect(decided)) as connection, connection:
        _drop_triggers(connection)
        last = (
            'DELETE FROM ledger_entries WHERE "index" = (SELECT max("index") FROM ledger_entries)'
        )
        connection.execute(last)
    with pytest.raises(VerificationError, match="entries where"):
        verify_ledger(str(decided))


@pytest.mark.parametrize(
    ("bend", "said"),
    [
        ('UPDATE ledger_nodes SET hash = zeroblob(32) WHERE level = 1 AND "index" = 2', "level 1"),
        ('DELETE FROM ledger_nodes WHERE level = 2 AND "index" = 0', "level 2"),
        ("INSERT INTO ledger_nodes VALUES (40, 7, zeroblob(32))", "no entry accounts for"),
    ],
)
def test_a_bent_tree_is_found(decided: Path, bend: str, said: str) -> None:
    with closing(sqlite3.connect(decided)) as connection, connection:
        _drop_triggers(connection)
        connection.execute(bend)
    with pytest.raises(VerificationError, match=said):
        verify_ledger(str(decided))


def test_a_checkpoint_of_another_key_and_another_first_device_are_found(decided: Path) -> None:
    other = CheckpointKey("bursar/ledger", SigningKey(bytes(range(32))).public)
    with pytest.raises(VerificationError, match="checkpoint"):
        verify_ledger(str(decided), key=other)
    with pytest.raises(VerificationError, match="trusted"):
        verify_ledger(str(decided), trusted_roots=frozenset({"0000 0000"}))


def test_what_is_no_ledger_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "text.sqlite3"
    text.write_text("this is not a database at all, but long enough to look at" * 10)
    sqlite3.connect(tmp_path / "empty.sqlite3").close()
    for name in ("text.sqlite3", "empty.sqlite3", "nowhere.sqlite3"):
        assert main(["ledger", "verify", "--database", str(tmp_path / name)]) == 1
        said = capsys.readouterr()
        assert len(said.err.splitlines()) == 1
        assert not said.out
    assert not (tmp_path / "nowhere.sqlite3").exists()


def test_a_data_folder_from_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = ["--data", str(tmp_path / "data")]
    assert main(["devices", "code", *data]) == 1
    assert "migrate" in capsys.readouterr().err
    assert main(["migrate", *data]) == 0
    assert main(["migrate", *data]) == 0
    capsys.readouterr()

    monkeypatch.setattr(sys, "stdin", io.StringIO("a long password\n"))
    person = ["--email", "thandi@college.example", "--name", "Thandi", "--role", "officer"]
    add = ["user", "add", *person, "--password-stdin", *data]
    assert main(add) == 0
    assert "a long password" not in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO("a long password\n"))
    assert main(add) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1

    assert main(["devices", "code", *data]) == 0
    assert len(capsys.readouterr().out.strip()) >= 16
    assert main(["ledger", "verify", *data]) == 0
    assert "Verified" in capsys.readouterr().out


@pytest.mark.parametrize(
    "given",
    [
        ("short", "a@b.example", "officer"),
        ("a long password", "nobody", "officer"),
        ("a long password", "a@b.example", "student"),
        ("a long password", "a@b.example", "king"),
    ],
)
def test_a_user_that_could_never_sign_in_is_not_added(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, str, str],
) -> None:
    password, email, role = given
    monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
    person = ["--email", email, "--name", "Thandi", "--role", role, "--password-stdin"]
    assert main(["user", "add", *person, "--data", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert "a long password" not in said.err


def test_serving_without_settings_is_refused_with_a_line_for_each_cause(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BURSAR_VAULT_KEYS", raising=False)
    assert main(["serve"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert all(line.startswith("BURSAR_") for line in lines)
    assert main(["serve", "--embedded"]) == 2


def test_demo_data_is_not_for_production(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BURSAR_ENVIRONMENT", "production")
    assert main(["demo", "seed", "--data", str(tmp_path)]) == 1
    assert "not for production" in capsys.readouterr().err


def test_a_second_process_is_told_to_wait(
    live_backend: LiveBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["devices", "code", "--data", str(live_backend.folder)]) == 1
    assert "already" in capsys.readouterr().err
