"""Where this console's secrets live: the keyring, a file under a passphrase, or this run alone."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, StrEnum, auto
from pathlib import Path
from typing import Protocol

from console.run_queues import RunQueues
from console.runtime.work import in_thread
from core.client.errors import OutboxError
from core.client.outbox_others import waiting_in
from core.client.passphrase import COST, PassphraseStore, exists
from core.client.private_files import move_aside
from core.client.secrets import Durability, MemoryStore, SecretStore, open_secret_store

LIST = ("list", "sealed")
"""Name and ending of the copy of the pending list, in a backend's folder."""
QUEUE = ("outbox", "sqlite3")
"""The same of the queue."""

OpenKeyring = Callable[[], tuple[SecretStore, Durability]]
Attempt = Callable[[str], Awaitable[SecretStore]]
"""Opens the file with a passphrase, or makes it. Raises SecretStoreError, in plain words."""


class Way(StrEnum):
    """How secrets are kept. What is sealed in one way cannot be read in another."""

    KEYRING = "keyring"
    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a way
    MEMORY = "memory"


class Unlocking(Enum):
    """What a person does who does not give the passphrase."""

    FORGOT = auto()
    WITHOUT = auto()


class AskPassphrase(Protocol):
    """The person; `console.views.passphrase.PassphraseAsker` is one."""

    async def unlock(self, attempt: Attempt) -> SecretStore | Unlocking:
        """The passphrase that was chosen earlier."""

    async def choose(self, attempt: Attempt) -> SecretStore | None:
        """A new passphrase; None: rather nothing is kept."""

    async def try_keyring(self, waiting: int) -> bool:
        """That many decisions wait behind a keyring that does not answer: whether to try again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where secrets go from now on, and what to tell a person about it."""

    way: Way
    store: SecretStore
    durability: Durability

    def file(self, name: str, ending: str) -> str:
        """A file's name: what is sealed in one way is not what is sealed in another."""
        return file_of(self.way, name, ending)


_UNDER_PASSPHRASE = Durability(
    remembered=True,
    message="Your sign-in, this console's key and your waiting decisions are kept on this computer,"
    " sealed with your passphrase.",
)
_NOTHING = Durability(
    remembered=False,
    message="This computer has no usable keyring and you chose no passphrase: nothing is"
    " remembered. You sign in again after each start, this console's key is new each time, and"
    " without a connection nothing can be decided.",
)
_LOCKED = Durability(
    remembered=False,
    message="You did not give your passphrase: what this console keeps stays sealed, and nothing is"
    " remembered this time. This console's key is another one, and without a connection nothing can"
    " be decided. To unlock it, start Bursar again.",
)
_WILL_ASK = (
    "This computer has no usable keyring. When you sign in you can choose a passphrase that"
    " protects what this console keeps, or go on with nothing kept."
)
_WILL_UNLOCK = "What this console keeps is sealed with your passphrase: you are asked for it."


class SafeKeeping:
    """Finds the keyring, asks for the passphrase where there is none, and stays with the answer.

    Whoever chose a passphrase once is asked for it also where a keyring has appeared since: the
    queue is sealed with it. `queues` and one memory for secrets are there for the whole run, for
    when nothing is kept: signing in again finds what waits, under the same key.
    """

    def __init__(
        self,
        path: Path,
        *,
        ask: AskPassphrase | None = None,
        open_keyring: OpenKeyring = open_secret_store,
        cost: int = COST,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`path` is the file under the passphrase, there or not; without `ask` nobody is asked.

        `cost` is for a new file.
        """
        self._path = path
        self._ask = ask
        self._open_keyring = open_keyring
        self._cost = cost
        self._now = now
        self._memory = MemoryStore()
        self._settled: Kept | None = None
        self.queues = RunQueues()

    async def quiet(self) -> Kept:
        """For the demo, which asks nobody: the keyring, or this run's memory."""
        store, durability = await in_thread(self._open_keyring)
        if durability.remembered:
            return Kept(Way.KEYRING, store, durability)
        return Kept(Way.MEMORY, self._memory, durability)

    async def remembered(self) -> Kept:
        """For a start: what an earlier run kept. Asks only for a passphrase that there is."""
        return self._settled or await self._open() or await self._in_memory()

    async def chosen(self) -> Kept:
        """For a sign-in, where a person decides what is kept; the same for the rest of the run."""
        kept = self._settled or await self._open()
        if kept is None and self._ask is not None and not await self.has_passphrase():
            kept = await self._without_keyring(self._ask)
        self._settled = kept or await self._in_memory()
        return self._settled

    async def other(self, way: Way) -> SecretStore | None:
        """The secrets of a way that is not in use, where they can be had without asking anybody."""
        if way is not Way.KEYRING:
            return None
        quiet = await self.quiet()
        return quiet.store if quiet.way is way else None

    async def has_passphrase(self) -> bool:
        """Whether one was chosen on this computer and not given up."""
        return await in_thread(exists, self._path)

    async def close(self) -> None:
        """At the end of the run. Raises OutboxError."""
        await self.queues.close()

    async def outlook(self) -> str:
        """What the sign-in page says of it beforehand."""
        if self._settled is not None:
            return self._settled.durability.message
        if await self.has_passphrase():
            return _WILL_UNLOCK
        quiet = await self.quiet()
        return _WILL_ASK if quiet.way is Way.MEMORY else quiet.durability.message

    # --- inside ---

    async def _open(self) -> Kept | None:
        if await self.has_passphrase():
            return await self._unlock()
        quiet = await self.quiet()
        return None if quiet.way is Way.MEMORY else quiet

    async def _unlock(self) -> Kept | None:
        if self._ask is None:
            return None
        answer = await self._ask.unlock(self._attempt)
        if answer is Unlocking.FORGOT:
            await in_thread(self._set_aside)
            return await self._open()
        return None if isinstance(answer, Unlocking) else self._under_passphrase(answer)

    async def _without_keyring(self, ask: AskPassphrase) -> Kept | None:
        """A person decides; but first, what waits behind the keyring gets another chance."""
        while waiting := await in_thread(self._behind_keyring):
            if not await ask.try_keyring(waiting):
                break
            kept = await self._open()
            if kept is not None:
                return kept
        store = await ask.choose(self._attempt)
        return None if store is None else self._under_passphrase(store)

    def _behind_keyring(self) -> int:
        """How many decisions wait in queues that the keyring's key opens."""
        files = self._path.parent.glob(f"backends/*/{file_of(Way.KEYRING, *QUEUE)}")
        with contextlib.suppress(OutboxError):  # whoever comes in is told of a file in trouble
            return sum(sum(waiting_in(file).values()) for file in files)
        return 0

    async def _in_memory(self) -> Kept:
        locked = await self.has_passphrase()
        return Kept(Way.MEMORY, self._memory, _LOCKED if locked else _NOTHING)

    def _under_passphrase(self, store: SecretStore) -> Kept:
        self._settled = Kept(Way.PASSPHRASE, store, _UNDER_PASSPHRASE)
        return self._settled

    async def _attempt(self, passphrase: str) -> SecretStore:
        return await in_thread(PassphraseStore, self._path, passphrase, cost=self._cost)

    def _set_aside(self) -> None:
        """Perhaps the passphrase comes back to mind: nothing is deleted. The outbox sets itself
        aside when it is opened with another key; the copies would be written over."""
        copies = self._path.parent.glob(f"backends/*/{file_of(Way.PASSPHRASE, *LIST)}")
        for path in (*copies, self._path):
            move_aside(path, self._now())


def file_of(way: Way, name: str, ending: str) -> str:
    """The name of a file that is sealed in this way."""
    return f"{name}.{ending}" if way is Way.KEYRING else f"{name}-{way.value}.{ending}"
