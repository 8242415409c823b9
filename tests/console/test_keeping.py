"""Where secrets go: the keyring, a passphrase's file, or nowhere; and who is asked when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from console.keeping import Attempt, SafeKeeping, Unlocking, Way
from core.client.errors import SecretStoreError
from core.client.secrets import Durability, MemoryStore, SecretStore
from tests.client.queueing import fill

CHEAP = 2**4
PASSPHRASE = "correct horse battery"


@dataclass
class Person:
    """Answers what was prepared; each answer once."""

    choose_with: list[str | None] = field(default_factory=list)
    unlock_with: list[str | Unlocking] = field(default_factory=list)
    unlocks_keyring: list[Callable[[], None] | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def choose(self, attempt: Attempt) -> SecretStore | None:
        self.asked.append("choose")
        answer = self.choose_with.pop(0)
        return None if answer is None else await attempt(answer)

    async def unlock(self, attempt: Attempt) -> SecretStore | Unlocking:
        self.asked.append("unlock")
        answer = self.unlock_with.pop(0)
        return answer if isinstance(answer, Unlocking) else await attempt(answer)

    async def try_keyring(self, waiting: int) -> bool:
        self.asked.append(f"{waiting} behind the keyring")
        unlock = self.unlocks_keyring.pop(0)
        if unlock is not None:
            unlock()
        return unlock is not None


def no_keyring() -> tuple[SecretStore, Durability]:
    return MemoryStore(), Durability(remembered=False, message="No keyring.")


def keyring(store: SecretStore) -> tuple[SecretStore, Durability]:
    return store, Durability(remembered=True, message="In the keyring.")


def is_there(path: Path) -> bool:
    return path.exists()


def content(path: Path) -> bytes:
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets.sealed"


async def test_a_keyring_asks_nobody(path: Path) -> None:
    person, store = Person(), MemoryStore()
    keeping = SafeKeeping(path, ask=person, open_keyring=lambda: keyring(store))
    for kept in (await keeping.remembered(), await keeping.chosen(), await keeping.quiet()):
        assert kept.way is Way.KEYRING
        assert kept.store is store
    assert await keeping.outlook() == "In the keyring."
    assert person.asked == []
    assert not is_there(path)


async def test_a_start_with_nothing_kept_asks_nobody_and_a_sign_in_does(path: Path) -> None:
    person = Person(choose_with=[PASSPHRASE])
    keeping = SafeKeeping(path, ask=person, open_keyring=no_keyring, cost=CHEAP)
    assert (await keeping.remembered()).way is Way.MEMORY
    assert person.asked == []
    assert "choose a passphrase" in await keeping.outlook()
    kept = await keeping.chosen()
    assert kept.way is Way.PASSPHRASE
    assert kept.durability.remembered
    kept.store.set("name", "secret")
    assert (await keeping.chosen()) == kept  # asked once in a run
    assert person.asked == ["choose"]
    assert PASSPHRASE.encode() not in content(path)
    assert b"secret" not in content(path)

    # The next run asks for it, also where a keyring has appeared since.
    person = Person(unlock_with=[PASSPHRASE])
    later = SafeKeeping(path, ask=person, open_keyring=lambda: keyring(MemoryStore()))
    assert "sealed with your passphrase" in await later.outlook()
    again = await later.remembered()
    assert again.way is Way.PASSPHRASE
    assert again.store.get("name") == "secret"
    assert person.asked == ["unlock"]


async def test_going_on_without_keeps_nothing(path: Path) -> None:
    person = Person(choose_with=[None])
    keeping = SafeKeeping(path, ask=person, open_keyring=no_keyring, cost=CHEAP)
    kept = await keeping.chosen()
    assert kept.way is Way.MEMORY
    assert not kept.durability.remembered
    assert await keeping.chosen() is kept
    assert (await keeping.quiet()).store is kept.store  # one memory for the whole run
    assert person.asked == ["choose"]
    assert "nothing is remembered" in await keeping.outlook()
    assert not is_there(path)


async def test_the_demo_asks_nobody(path: Path) -> None:
    person = Person()
    keeping = SafeKeeping(path, ask=person, open_keyring=no_keyring, cost=CHEAP)
    assert (await keeping.quiet()).way is Way.MEMORY
    assert person.asked == []


async def test_not_now_is_asked_again_at_the_sign_in(path: Path) -> None:
    await SafeKeeping(
        path, ask=Person(choose_with=[PASSPHRASE]), open_keyring=no_keyring, cost=CHEAP
    ).chosen()
    person = Person(unlock_with=[Unlocking.WITHOUT, PASSPHRASE])
    keeping = SafeKeeping(path, ask=person, open_keyring=no_keyring, cost=CHEAP)
    put_off = await keeping.remembered()
    assert put_off.way is Way.MEMORY
    assert "did not give your passphrase" in put_off.durability.message
    assert not put_off.durability.remembered
    assert (await keeping.chosen()).way is Way.PASSPHRASE
    assert person.asked == ["unlock", "unlock"]


async def test_a_forgotten_passphrase_leads_to_the_keyring_where_there_is_one(path: Path) -> None:
    await SafeKeeping(
        path, ask=Person(choose_with=[PASSPHRASE]), open_keyring=no_keyring, cost=CHEAP
    ).chosen()
    person, store = Person(unlock_with=[Unlocking.FORGOT]), MemoryStore()
    keeping = SafeKeeping(path, ask=person, open_keyring=lambda: keyring(store), cost=CHEAP)
    assert (await keeping.chosen()).store is store
    assert person.asked == ["unlock"]
    assert not await keeping.has_passphrase()


# --- a keyring that does not answer today ---


@dataclass
class Lockable:
    """A keyring that a person can unlock."""

    store: MemoryStore = field(default_factory=MemoryStore)
    locked: bool = True

    def open(self) -> tuple[SecretStore, Durability]:
        return no_keyring() if self.locked else keyring(self.store)

    def unlock(self) -> None:
        self.locked = False


@pytest.fixture
def behind(path: Path) -> Lockable:
    """Three decisions wait in a queue that was sealed with it."""
    found = Lockable()
    folder = path.parent / "backends" / "0011223344556677"
    folder.mkdir(parents=True)
    fill(folder / "outbox.sqlite3")
    return found


async def test_nothing_new_is_chosen_before_the_keyring_got_another_chance(
    path: Path, behind: Lockable
) -> None:
    person = Person(unlocks_keyring=[lambda: None, behind.unlock])
    keeping = SafeKeeping(path, ask=person, open_keyring=behind.open, cost=CHEAP)
    assert (await keeping.chosen()).store is behind.store
    assert person.asked == ["3 behind the keyring"] * 2
    assert not is_there(path)


async def test_a_person_may_go_on_without_the_keyring(path: Path, behind: Lockable) -> None:
    person = Person(unlocks_keyring=[None], choose_with=[PASSPHRASE])
    keeping = SafeKeeping(path, ask=person, open_keyring=behind.open, cost=CHEAP)
    assert (await keeping.chosen()).way is Way.PASSPHRASE
    assert person.asked == ["3 behind the keyring", "choose"]
    assert await keeping.other(Way.KEYRING) is None
    behind.unlock()
    assert await keeping.other(Way.KEYRING) is behind.store
    assert await keeping.other(Way.PASSPHRASE) is None


async def test_forgotten_is_set_aside_and_never_deleted(path: Path) -> None:
    await SafeKeeping(
        path, ask=Person(choose_with=[PASSPHRASE]), open_keyring=no_keyring, cost=CHEAP
    ).chosen()
    before = content(path)
    person = Person(unlock_with=[Unlocking.FORGOT], choose_with=["another long passphrase"])
    keeping = SafeKeeping(path, ask=person, open_keyring=no_keyring, cost=CHEAP)
    assert (await keeping.chosen()).way is Way.PASSPHRASE
    assert person.asked == ["unlock", "choose"]
    (kept,) = path.parent.glob("secrets.sealed.aside-*")
    assert content(kept) == before


async def test_a_wrong_passphrase_is_told_in_plain_words(path: Path) -> None:
    await SafeKeeping(
        path, ask=Person(choose_with=[PASSPHRASE]), open_keyring=no_keyring, cost=CHEAP
    ).chosen()
    keeping = SafeKeeping(
        path, ask=Person(unlock_with=["wrong"]), open_keyring=no_keyring, cost=CHEAP
    )
    with pytest.raises(SecretStoreError, match="passphrase"):
        await keeping.remembered()
