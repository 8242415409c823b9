"""Where secrets are kept, and what is said when nothing can be kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import NoReturn
from uuid import UUID

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.backends.null import Keyring as NullKeyring
from keyring.errors import KeyringLocked

from core.client.device import enroll_first, enroll_other, load_or_create, renew
from core.client.errors import SecretStoreError
from core.client.sealing import Sealer, load_sealer
from core.client.secrets import (
    MAX_CHARACTERS,
    KeyringStore,
    MemoryStore,
    SecretStore,
    open_secret_store,
)
from core.client.session import SessionKeeper
from core.domain.roles import Role
from core.ledger.keys import verify
from core.ledger.text import decode_base64
from core.protocol.messages import Device, DeviceState, EnrollDevice
from core.protocol.signing import read_device_payload
from tests.client.build import OFFICER, Ids, device_key, session
from tests.support.keyrings import MemoryKeyring


class LockedKeyring(KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's own has no types

    def get_password(self, service: str, username: str) -> NoReturn:  # noqa: ARG002 - keyring's name
        raise KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> NoReturn:  # noqa: ARG002
        raise KeyringLocked("locked")

    def delete_password(self, service: str, username: str) -> NoReturn:  # noqa: ARG002
        raise KeyringLocked("locked")


@pytest.mark.parametrize("store", [KeyringStore("bursar-test"), MemoryStore()])
def test_a_store_keeps_and_forgets(store: SecretStore, private_keyring: MemoryKeyring) -> None:
    assert private_keyring.secrets == {}
    assert store.get("name") is None
    store.set("name", "value")
    store.set("name", "other")
    assert store.get("name") == "other"
    store.delete("name")
    store.delete("name")
    assert store.get("name") is None
    with pytest.raises(SecretStoreError):
        store.set("name", "x" * (MAX_CHARACTERS + 1))


def test_a_usable_keyring_is_used(private_keyring: MemoryKeyring) -> None:
    store, durability = open_secret_store()
    assert isinstance(store, KeyringStore)
    assert durability.remembered
    assert private_keyring.secrets == {}


@pytest.mark.usefixtures("private_keyring")
@pytest.mark.parametrize("backend", [NoKeyring, NullKeyring, LockedKeyring])
def test_without_a_usable_keyring_it_says_so(backend: Callable[[], KeyringBackend]) -> None:
    keyring.set_keyring(backend())
    store, durability = open_secret_store()
    assert isinstance(store, MemoryStore)
    assert not durability.remembered
    assert "nothing is remembered" in durability.message


@pytest.mark.usefixtures("private_keyring")
def test_a_keyring_that_is_locked_later_is_a_typed_error() -> None:
    keyring.set_keyring(LockedKeyring())
    store = KeyringStore()
    with pytest.raises(SecretStoreError):
        store.get("a")
    with pytest.raises(SecretStoreError):
        store.set("a", "b")
    with pytest.raises(SecretStoreError):
        store.delete("a")


# --- session ---


async def test_a_session_is_remembered_until_it_is_forgotten() -> None:
    store = MemoryStore()
    keeper = SessionKeeper(store, "here")
    assert await keeper.refresh_token() is None
    await keeper.keep(session(1))
    assert keeper.remembered
    later = SessionKeeper(store, "here")
    assert await later.refresh_token() == session(1).refresh_token
    assert await SessionKeeper(store, "elsewhere").refresh_token() is None
    await later.forget()
    assert await SessionKeeper(store, "here").refresh_token() is None


@pytest.mark.usefixtures("private_keyring")
async def test_a_keyring_that_fails_does_not_end_the_session() -> None:
    keyring.set_keyring(LockedKeyring())
    keeper = SessionKeeper(KeyringStore(), "here")
    assert await keeper.refresh_token() is None
    await keeper.keep(session(1))
    assert keeper.session == session(1)
    assert not keeper.remembered
    await keeper.forget()
    assert keeper.session is None


# --- device ---


def test_a_device_key_is_made_once_per_person_and_backend() -> None:
    store, ids = MemoryStore(), Ids()
    first = load_or_create(store, OFFICER, backend="a", new_id=ids)
    again = load_or_create(store, OFFICER, backend="a", new_id=ids)
    assert (again.id, again.fingerprint) == (first.id, first.fingerprint)
    for other in (
        load_or_create(store, UUID(int=5), backend="a", new_id=ids),
        load_or_create(store, OFFICER, backend="b", new_id=ids),
    ):
        assert other.id != first.id
        assert other.fingerprint != first.fingerprint


@pytest.mark.parametrize(
    "kept", ["", "{}", "[]", "5", '{"id": "x", "seed": ""}', json.dumps({"id": 5, "seed": "00"})]
)
def test_a_damaged_device_key_is_never_replaced_silently(kept: str) -> None:
    store = MemoryStore()
    store.set(f"device:a:{OFFICER}", kept)
    with pytest.raises(SecretStoreError, match="damaged"):
        load_or_create(store, OFFICER, backend="a", new_id=Ids())
    assert store.get(f"device:a:{OFFICER}") == kept


def test_a_revoked_key_makes_place_for_a_fresh_one() -> None:
    store, ids = MemoryStore(), Ids()
    old = load_or_create(store, OFFICER, backend="a", new_id=ids)
    other = load_or_create(store, UUID(int=5), backend="a", new_id=ids)
    fresh = renew(store, old, backend="a", new_id=ids)
    assert fresh.user == OFFICER
    assert fresh.id != old.id
    assert fresh.fingerprint != old.fingerprint
    # Asked once more, by whoever still holds the old one, nothing is lost.
    for held in (
        renew(store, old, backend="a", new_id=ids),
        load_or_create(store, OFFICER, backend="a", new_id=ids),
    ):
        assert (held.id, held.fingerprint) == (fresh.id, fresh.fingerprint)
    assert load_or_create(store, other.user, backend="a", new_id=ids).id == other.id


class Enroller:
    def __init__(self) -> None:
        self.asked: list[EnrollDevice] = []

    async def enroll_device(self, enrollment: EnrollDevice) -> Device:
        self.asked.append(enrollment)
        fields = read_device_payload(enrollment.payload.encode())
        return Device(
            id=fields["device"], user=fields["user"], state=DeviceState.ENROLLED,
            fingerprint="f", root=enrollment.code is not None, next_n=0,
        )  # fmt: skip


async def test_the_first_device_signs_itself_and_the_next_is_signed_by_it() -> None:
    api = Enroller()
    root, other = device_key(number=1), device_key(number=2)
    roles = frozenset({Role.OFFICER})
    code = "one-time-code-of-16"
    enrolled = await enroll_first(api, root, roles, code=code, enrollment_id=UUID(int=1))
    assert enrolled.root
    await enroll_other(api, other, roles, by=root, enrollment_id=UUID(int=2))
    for asked, device in zip(api.asked, (root, other), strict=True):
        payload = asked.payload.encode()
        assert verify(root.key.public, payload, decode_base64(asked.signature))
        fields = read_device_payload(payload)
        assert fields["by_device"] == root.id
        assert decode_base64(fields["public_key"]) == device.key.public
    assert [asked.code for asked in api.asked] == [code, None]


# --- sealing ---


def test_what_is_sealed_opens_only_with_its_key_and_in_its_place() -> None:
    sealed = Sealer(b"k" * 32).seal("words", "here")
    assert b"words" not in sealed
    assert Sealer(b"k" * 32).open(sealed, "here") == "words"
    assert Sealer(b"x" * 32).open(sealed, "here") is None
    assert Sealer(b"k" * 32).open(sealed, "there") is None
    assert Sealer(b"k" * 32).open(sealed[:-1], "here") is None
    assert Sealer(b"k" * 32).open(b"", "here") is None
    assert Sealer(b"k" * 32).seal("words", "here") != sealed


def test_the_key_of_the_outbox_is_made_once_and_never_replaced() -> None:
    store = MemoryStore()
    sealed = load_sealer(store).seal("words", "here")
    assert load_sealer(store).open(sealed, "here") == "words"
    store.set("outbox-key", "damaged")
    with pytest.raises(SecretStoreError):
        load_sealer(store)


async def test_the_store_is_called_off_the_loop() -> None:
    class Watching(MemoryStore):
        def get(self, name: str) -> str | None:
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()
            return super().get(name)

    assert await SessionKeeper(Watching(), "here").refresh_token() is None
