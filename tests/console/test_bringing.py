"""Every decision of another queue is brought into the one in use, given up with words, or told."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from console.bringing import Bringing
from console.elsewhere import Behind, Elsewhere
from console.keeping import SafeKeeping, Unlocking, Way
from core.client.outbox import Outbox
from core.client.outbox_others import waiting_in
from core.client.passphrase import PassphraseStore
from core.client.sealing import Sealer, load_sealer
from tests.client.build import OFFICER, START
from tests.client.queueing import COLLEAGUE, decide, opened
from tests.console.test_keeping import CHEAP, PASSPHRASE, Lockable, Person


@dataclass
class Secrets:
    """A computer's secrets, and two folders of one backend."""

    folder: Path
    keyring: Lockable = field(default_factory=Lockable)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def here(self) -> Path:
        return self.folder / "backends" / "here"

    @property
    def there(self) -> Path:
        """Made under another spelling of the address."""
        return self.folder / "backends" / "there"

    def waiting(self, path: Path, sealer: Sealer) -> None:
        """Two decisions of the officer and one of a colleague."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened(path, sealer) as file:
            decide(file, 1, 1)
            decide(file, 2, 2)
            decide(file, 3, 3, officer=COLLEAGUE)

    def behind_keyring(self) -> Path:
        path = self.here / "outbox.sqlite3"
        self.waiting(path, load_sealer(self.keyring.store))
        return path

    def passphrase_store(self) -> PassphraseStore:
        return PassphraseStore(self.folder / "secrets.sealed", PASSPHRASE, cost=CHEAP)

    def behind_passphrase(self, folder: Path) -> Path:
        path = folder / "outbox-passphrase.sqlite3"
        self.waiting(path, load_sealer(self.passphrase_store()))
        return path

    def keeping(self, unlock: str | Unlocking = PASSPHRASE) -> SafeKeeping:
        return SafeKeeping(
            self.folder / "secrets.sealed",
            ask=Person(unlock_with=[unlock]),
            open_keyring=self.keyring.open,
            cost=CHEAP,
        )

    async def open(self, keeping: SafeKeeping) -> tuple[Outbox, tuple[Elsewhere, ...]]:
        """As a console does that comes in: the queue in use, and what is told of others."""
        kept = await keeping.remembered()
        lasts = kept.durability.remembered
        path = self.here / kept.file("outbox", "sqlite3") if lasts else None
        outbox = await Outbox.open(path, load_sealer(kept.store), lambda: START)
        self.stack.push_async_callback(outbox.close)
        bringing = Bringing(
            keeping=keeping,
            kept=kept,
            folder=self.here,
            others=(self.there,),
            now=lambda: START,
        )
        return outbox, await bringing.into(outbox, OFFICER)


@pytest_asyncio.fixture
async def secrets(tmp_path: Path) -> AsyncIterator[Secrets]:
    made = Secrets(tmp_path)
    made.here.mkdir(parents=True)
    yield made
    await made.stack.aclose()


async def test_what_a_locked_keyring_holds_back_is_told_and_left_as_it_is(
    secrets: Secrets,
) -> None:
    secrets.passphrase_store()
    path = secrets.behind_keyring()
    before = path.read_bytes()
    outbox, told = await secrets.open(secrets.keeping())
    assert told == (Elsewhere(Behind.KEYRING, mine=2, others=1),)
    assert await outbox.unanswered() == 0
    assert path.read_bytes() == before


async def test_when_the_keyring_answers_again_everything_comes(secrets: Secrets) -> None:
    secrets.passphrase_store()
    path = secrets.behind_keyring()
    secrets.keyring.unlock()
    outbox, told = await secrets.open(secrets.keeping())
    assert told == ()
    assert [item.n for item in await outbox.waiting_for(OFFICER)] == [0, 1]
    assert await outbox.others_waiting(OFFICER) == 1
    (notice,) = await outbox.notices()
    assert "3 decisions" in notice.message
    assert waiting_in(path) == {}
    await secrets.stack.aclose()
    outbox, told = await secrets.open(secrets.keeping())  # and the next start finds nothing new
    assert told == ()
    assert await outbox.unanswered() == 3


async def test_a_keyring_that_forgot_its_key_is_no_way_out_and_said_so(secrets: Secrets) -> None:
    secrets.passphrase_store()
    secrets.behind_keyring()
    secrets.keyring.store.delete("outbox-key")
    secrets.keyring.unlock()
    outbox, told = await secrets.open(secrets.keeping())
    assert told == ()
    (notice,) = await outbox.notices()
    assert "sealed with a key that is gone" in notice.message
    assert notice.path is not None
    assert waiting_in(notice.path) == {OFFICER: 2, COLLEAGUE: 1}


async def test_a_passphrase_that_was_put_off_is_told(secrets: Secrets) -> None:
    secrets.behind_passphrase(secrets.here)
    outbox, told = await secrets.open(secrets.keeping(Unlocking.WITHOUT))
    assert told == (Elsewhere(Behind.PASSPHRASE, mine=2, others=1),)
    assert await outbox.unanswered() == 0  # in memory it would be lost with the window


async def test_what_a_given_up_passphrase_sealed_is_set_aside_and_told(secrets: Secrets) -> None:
    path = secrets.behind_passphrase(secrets.here)
    secrets.keyring.unlock()
    outbox, told = await secrets.open(secrets.keeping(Unlocking.FORGOT))
    assert told == ()
    (notice,) = await outbox.notices()
    assert notice.message.startswith("3 decisions in another queue")
    assert waiting_in(path) == {}


async def test_without_a_durable_queue_a_given_up_one_is_only_told(secrets: Secrets) -> None:
    path = secrets.behind_passphrase(secrets.here)
    outbox, told = await secrets.open(secrets.keeping(Unlocking.FORGOT))
    assert told == (Elsewhere(Behind.NOTHING, mine=2, others=1),)
    assert await outbox.notices() == ()
    assert sum(waiting_in(path).values()) == 3


@pytest.mark.parametrize("way", [Way.KEYRING, Way.PASSPHRASE])
async def test_another_spelling_of_the_address_is_the_same_queue(
    secrets: Secrets, way: Way
) -> None:
    if way is Way.KEYRING:
        secrets.keyring.unlock()
        secrets.waiting(secrets.there / "outbox.sqlite3", load_sealer(secrets.keyring.store))
    else:
        secrets.behind_passphrase(secrets.there)
    outbox, told = await secrets.open(secrets.keeping())
    assert told == ()
    assert await outbox.unanswered() == 3


async def test_a_queue_that_another_console_has_open_is_left_to_it(secrets: Secrets) -> None:
    secrets.passphrase_store()
    path = secrets.behind_keyring()
    secrets.keyring.unlock()
    with opened(path, load_sealer(secrets.keyring.store)):
        outbox, told = await secrets.open(secrets.keeping())
    assert told == (Elsewhere(Behind.CONSOLE, mine=2, others=1),)
    assert await outbox.unanswered() == 0


async def test_no_trouble_with_another_queue_keeps_anybody_out(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.passphrase_store()
    path = secrets.behind_keyring()
    (secrets.there / "outbox.sqlite3").mkdir(parents=True)  # cannot be read
    secrets.keyring.unlock()

    def full(*_: object, **__: object) -> Path:
        raise OSError(errno.ENOSPC, "No space left")

    with monkeypatch.context() as patched:
        patched.setattr("core.client.outbox_others.copy_aside", full)
        _, told = await secrets.open(secrets.keeping())
        assert told == (
            Elsewhere(Behind.TROUBLE, mine=2, others=1),
            Elsewhere(Behind.TROUBLE, mine=0, others=0),
        )
        await secrets.stack.aclose()
    outbox, told = await secrets.open(secrets.keeping())
    assert told == (Elsewhere(Behind.TROUBLE, mine=0, others=0),)
    assert await outbox.unanswered() == 3
    assert waiting_in(path) == {}
