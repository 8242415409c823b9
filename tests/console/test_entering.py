"""Opening without the backend: with what, for whom, and when rather not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from console.entered import Entered
from console.entering import Place, enter_backend, resume_backend
from console.keeping import SafeKeeping
from core.client.api import Api
from core.client.decider import Decider
from core.client.device import DeviceKey, enroll_other
from core.client.errors import (
    AccountDisabledError,
    OfflineCopyError,
    SignInNeededError,
    UnreachableError,
)
from core.client.http import open_http
from core.client.offline_copy import OfflineCopy
from core.client.secrets import Durability, MemoryStore, SecretStore
from core.client.session import SessionKeeper
from core.domain.decisions import Verdict
from core.domain.roles import Role
from core.ledger.leaf import decode
from core.protocol.messages import Workspace
from tests.support.live_backend import LiveBackend
from tests.support.live_template import PASSWORD


@dataclass
class Desktop:
    """A folder and a keyring; entered again and again."""

    backend: LiveBackend
    folder: Path
    store: MemoryStore = field(default_factory=MemoryStore)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def place(self) -> Place:
        def keyring() -> tuple[SecretStore, Durability]:
            return self.store, Durability(remembered=True, message="")

        keeping = SafeKeeping(self.folder / "secrets.sealed", open_keyring=keyring)
        return Place(folder=self.folder, stack=self.stack, new_id=uuid7, keeping=keeping)

    async def sign_in(self, number: int = 0) -> tuple[Entered, Path]:
        email = self.backend.person(Role.OFFICER, number).email
        return await enter_backend(self.place(), self.backend.url, email=email, password=PASSWORD)

    async def resume(self) -> Entered:
        entered, _ = await resume_backend(self.place(), self.backend.url)
        return entered

    async def leave(self) -> None:
        stack, self.stack = self.stack, AsyncExitStack()
        await stack.aclose()

    async def sign_in_and_copy(self, number: int = 0) -> Path:
        """As an officer who leaves a copy behind; where it is."""
        entered, files = await self.sign_in(number)
        copy = OfflineCopy(
            officer=entered.officer,
            workspace=entered.workspace,
            device=entered.device_state,
            rows=(),
            as_of=datetime(2026, 3, 4, tzinfo=UTC),
            next_index=1,
            epoch=uuid7(),
        )
        assert entered.copies is not None
        entered.copies.save(copy)
        await self.leave()
        return files / "list.sealed"


@pytest_asyncio.fixture
async def desktop(live_backend: LiveBackend, tmp_path: Path) -> AsyncIterator[Desktop]:
    made = Desktop(live_backend, tmp_path / "computer")
    yield made
    await made.leave()


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"!")


async def test_with_a_connection_the_copy_is_not_looked_at(desktop: Desktop) -> None:
    await desktop.sign_in_and_copy()
    assert (await desktop.resume()).copy is None


async def test_without_one_it_opens_as_the_officer_was(desktop: Desktop) -> None:
    await desktop.sign_in_and_copy()
    with desktop.backend.offline():
        entered = await desktop.resume()
    assert entered.copy is not None
    assert entered.officer == entered.copy.officer
    assert entered.device.id == entered.device_state.id


async def test_a_damaged_copy_is_set_aside_and_named(desktop: Desktop) -> None:
    damage(await desktop.sign_in_and_copy())
    with desktop.backend.offline(), pytest.raises(OfflineCopyError, match=r"list\.sealed\.aside-"):
        await desktop.resume()


async def test_a_console_whose_key_was_lost_does_not_decide(desktop: Desktop) -> None:
    await desktop.sign_in_and_copy()
    for name in [name for name in desktop.store._values if name.startswith("device:")]:
        desktop.store.delete(name)
    with desktop.backend.offline(), pytest.raises(UnreachableError):
        await desktop.resume()


async def test_the_copy_of_one_officer_is_no_way_in_for_another(
    desktop: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desktop.sign_in_and_copy()
    await desktop.sign_in(number=1)  # ends before there is a copy of its own
    await desktop.leave()
    # Nobody can say whose session it is before the backend does: then the sign-in is needed.
    with desktop.backend.offline():
        entered = await desktop.resume()
    with pytest.raises(SignInNeededError, match="Somebody else"):
        await entered.api.renew(None)
    await desktop.leave()

    # The backend goes away right after it has said so.
    await desktop.sign_in(number=1)
    await desktop.leave()
    monkeypatch.setattr(Api, "workspace", away())
    with pytest.raises(UnreachableError):
        await desktop.resume()


def away() -> Callable[[Api], object]:
    async def workspace(_api: Api) -> Workspace:
        raise UnreachableError("The backend cannot be reached.")

    return workspace


async def test_whoever_was_disabled_stays_out_and_what_they_held_is_refused(
    desktop: Desktop,
) -> None:
    await desktop.sign_in_and_copy()
    backend, claim = desktop.backend, desktop.backend.claim()
    entered = await desktop.resume()
    root = DeviceKey(
        backend._template.root_device, backend.person(Role.ADMINISTRATOR).id,
        backend._template.root_key,
    )  # fmt: skip
    administrator = backend.staff(Role.ADMINISTRATOR)
    api = Api(open_http(backend.url), SessionKeeper(MemoryStore(), "administrator"))
    await api.keeper.keep(administrator)
    roles = frozenset({Role.OFFICER})
    await enroll_other(api, entered.device, roles, by=root, enrollment_id=uuid7())
    await api.aclose()
    decider = Decider(
        device=entered.device, outbox=entered.outbox, as_of=lambda: backend.size - 1,
        now=lambda: datetime.now(UTC), new_id=uuid7,
    )  # fmt: skip
    await decider.decide(backend.row(claim.enrollment), Verdict.APPROVE)
    await desktop.leave()
    users = backend.services.users
    backend.run(users.set_disabled(users.by_system(), entered.officer.id, disabled=True))

    with pytest.raises(AccountDisabledError, match=r"1 decision that waited .* was refused"):
        await desktop.resume()
    await desktop.leave()
    assert backend.row(claim.enrollment).waiting
    last = backend.detail(claim.enrollment).timeline[-1]
    assert decode(last.leaf.encode()).facts["code"] == "account_disabled"
    # And the next start has nothing left to tell.
    with pytest.raises(AccountDisabledError, match=r"Ask an administrator\.$"):
        await desktop.resume()
