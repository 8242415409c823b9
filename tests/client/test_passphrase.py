"""Secrets under a passphrase, where there is no keyring."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread

import pytest

from core.client import device
from core.client.errors import SecretStoreError, WrongPassphraseError
from core.client.passphrase import (
    COST,
    MAX_CHARACTERS,
    MIN_CHARACTERS,
    PassphraseStore,
    check_new,
    exists,
)
from core.client.sealing import load_sealer
from core.client.secrets import MAX_CHARACTERS as MAX_SECRET
from core.client.session import SessionKeeper
from tests.client.build import OFFICER, Ids, session

WORDS = "four plain words here"
LOW = 2**4  # the real cost takes half a second for each opening


def open_store(path: Path, passphrase: str = WORDS) -> PassphraseStore:
    return PassphraseStore(path, passphrase, cost=LOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "secrets.json"


def test_it_keeps_and_forgets_like_every_store(path: Path) -> None:
    assert not exists(path)
    store = open_store(path)
    assert exists(path)
    assert store.get("name") is None
    store.set("name", "value")
    store.set("other", "kept")
    store.set("name", "changed")
    assert open_store(path).get("name") == "changed"
    store.delete("name")
    store.delete("name")
    assert open_store(path).get("name") is None
    assert open_store(path).get("other") == "kept"
    with pytest.raises(SecretStoreError):
        store.set("name", "x" * (MAX_SECRET + 1))


def test_the_file_is_private_and_holds_nothing_to_read(path: Path) -> None:
    open_store(path).set("device:here", "a secret seed")
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o077 == 0
    content = path.read_bytes()
    for text in (b"device:here", b"secret seed", WORDS.encode()):
        assert text not in content


@pytest.mark.parametrize("passphrase", ["another row of words", "Four plain words here", "", "x"])
def test_a_wrong_passphrase_is_told_in_plain_words_and_changes_nothing(
    path: Path, passphrase: str
) -> None:
    open_store(path).set("name", "value")
    content = path.read_bytes()
    with pytest.raises(WrongPassphraseError, match="not the passphrase"):
        open_store(path, passphrase)
    assert path.read_bytes() == content


def test_letters_count_however_the_keyboard_makes_them(path: Path) -> None:
    open_store(path, "caf\u00e9 au lait twice").set("name", "value")
    assert open_store(path, "cafe\u0301 au lait twice").get("name") == "value"


@pytest.mark.parametrize(
    ("passphrase", "words"),
    [
        ("x" * (MIN_CHARACTERS - 1), "at least"),
        ("x" * (MAX_CHARACTERS + 1), "at most"),
        ("\ud800" * MIN_CHARACTERS, "broken"),
    ],
)
def test_a_bad_new_passphrase_makes_no_file(path: Path, passphrase: str, words: str) -> None:
    with pytest.raises(SecretStoreError, match=words):
        open_store(path, passphrase)
    assert not exists(path)
    check_new("x" * MIN_CHARACTERS)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"salt": "AAAA"},
        {"salt": 5},
        {"cost": 0},
        {"cost": LOW + 1},
        {"cost": 2**40},
        {"cost": "16"},
        {"cost": True},
        {"sealed": "not base64"},
        {"sealed": None},
    ],
)
def test_a_damaged_file_is_never_replaced_silently(path: Path, change: dict[str, object]) -> None:
    open_store(path).set("name", "value")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    content = path.read_bytes()
    with pytest.raises(SecretStoreError, match="damaged"):
        open_store(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[]", b"5", b"[" * 100_000, b"x" * 2**21])
def test_a_file_of_something_else_is_damaged(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SecretStoreError, match="damaged"):
        open_store(path)


def test_a_cost_that_was_edited_opens_nothing(path: Path) -> None:
    open_store(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), "cost": LOW * 2}))
    with pytest.raises(WrongPassphraseError):
        open_store(path)


def test_a_file_that_cannot_be_read_or_written_is_a_typed_error(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(SecretStoreError, match="cannot be read"):
        open_store(path)
    path.parent.joinpath("file").touch()
    with pytest.raises(SecretStoreError, match="cannot be written"):
        open_store(path.parent / "file" / "secrets.json")


def test_two_consoles_do_not_lose_each_others_secrets(path: Path) -> None:
    one, other = open_store(path), open_store(path)
    one.set("one", "1")
    other.set("other", "2")
    one.delete("nothing")
    assert (other.get("one"), other.get("other")) == ("1", "2")
    assert (open_store(path).get("one"), open_store(path).get("other")) == ("1", "2")


def test_many_threads_lose_nothing(path: Path) -> None:
    store = open_store(path)
    threads = [Thread(target=store.set, args=(f"name-{n}", str(n))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = open_store(path)
    assert [again.get(f"name-{n}") for n in range(8)] == [str(n) for n in range(8)]


async def test_key_session_and_outbox_key_outlive_the_console(path: Path) -> None:
    ids, store = Ids(), open_store(path)
    key = device.load_or_create(store, OFFICER, backend="here", new_id=ids)
    sealed = load_sealer(store).seal("words", "place")
    await SessionKeeper(store, "here").keep(session(1))
    later = open_store(path)
    again = device.load_or_create(later, OFFICER, backend="here", new_id=ids)
    assert (again.id, again.fingerprint) == (key.id, key.fingerprint)
    assert load_sealer(later).open(sealed, "place") == "words"
    assert await SessionKeeper(later, "here").refresh_token() == session(1).refresh_token


def test_guessing_costs_what_is_recommended(path: Path) -> None:
    PassphraseStore(path, WORDS)
    assert json.loads(path.read_text())["cost"] == COST >= 2**17
