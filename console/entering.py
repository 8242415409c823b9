"""How a console comes to a desk: the embedded demo, a backend somewhere, or without a network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from console.backends import Backends
from console.bringing import Bringing
from console.elsewhere import Elsewhere
from console.entered import Entered
from console.handing_in import hand_in
from console.keeping import LIST, QUEUE, Kept, SafeKeeping
from console.runtime import garbage
from console.runtime.work import in_thread
from core.client import device as devices
from core.client.api import Api
from core.client.api_admin import AccountApi
from core.client.device import DeviceKey
from core.client.embedded import EmbeddedBackend
from core.client.errors import (
    AccountDisabledError,
    ClientError,
    OfflineCopyError,
    OutboxError,
    ProblemError,
    SecretStoreError,
    SignInNeededError,
    UnreachableError,
)
from core.client.http import open_http
from core.client.offline_copy import CopyFile, OfflineCopy
from core.client.outbox import Outbox
from core.client.sealing import load_sealer
from core.client.secrets import MemoryStore, SecretStore
from core.client.session import SessionKeeper
from core.protocol.messages import (
    Device,
    DeviceState,
    EmbeddedSessions,
    Session,
    User,
    Workspace,
)

Tell = Callable[[str], None]
NewPassword = Callable[[AccountApi, str], Awaitable[bool]]
"""Gets the password just typed, or nothing; tells whether the person chose another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where this console keeps things, and how it makes ids. `stack` closes what was opened.

    `new_password` lets a person choose one where the backend wants that first.
    """

    folder: Path
    stack: AsyncExitStack
    new_id: Callable[[], UUID]
    keeping: SafeKeeping
    new_password: NewPassword | None = None

    @property
    def backends(self) -> Backends:
        """The folders for outbox and witness of each backend."""
        return Backends(self.folder / "backends")


@dataclass(frozen=True, slots=True)
class _Who:
    """`backend` names it for keyring and files; the demo's address changes at each start."""

    backend: str
    address: str
    kept: Kept
    embedded: bool


@dataclass(frozen=True, slots=True)
class _Arrival:
    """As the backend tells it; or, with `copy`, as it told it the last time."""

    officer: User
    key: DeviceKey
    workspace: Workspace
    device: Device
    copy: OfflineCopy | None = None


async def enter_demo(
    place: Place, *, tell: Tell, on_exit: Callable[[int], None]
) -> tuple[Entered, Path]:
    """Start our own backend, enroll this console's device by the real path, sign in.

    Gives what a desk needs and the folder of its files. Raises ClientError.
    """
    tell("Starting the demo workspace on this computer…")
    child = EmbeddedBackend(place.folder / "demo", on_exit=on_exit)
    place.stack.push_async_callback(child.stop)
    await child.start()
    kept = await place.keeping.quiet()
    who = _Who(f"demo:{place.folder}", child.url, kept, embedded=True)
    tell("Signing in…")
    # Each start claims fresh sessions: there is nothing to remember.
    api = await _api(place, child.url, MemoryStore(), "demo-officer")
    sessions = await api.claim_embedded(child.token)
    await api.keeper.keep(sessions.officer)
    tell("Enrolling this console…")
    key = await _key(place, who, sessions.officer.user.id)
    if (await api.device(key.id)).state is DeviceState.UNKNOWN:
        await _enroll_by_administrator(place, who, key, sessions, child.token)
    return await _enter(place, who, api, await _arrive(api, key, sessions.officer.user))


async def enter_backend(
    place: Place, address: str, *, email: str, password: str
) -> tuple[Entered, Path]:
    """Sign in with a password. Raises ClientError."""
    who, api = await _reach(place, address, await place.keeping.chosen())
    session = await _with_own_password(place, api, await api.sign_in(email, password), password)
    key = await _key(place, who, session.user.id)
    return await _enter(place, who, api, await _arrive(api, key, session.user))


async def resume_backend(place: Place, address: str) -> tuple[Entered, Path]:
    """Take up the remembered session. Raises ClientError; SignInNeededError if there is none.

    Where the backend cannot be reached, with the copy of its list that was kept. Whoever was
    disabled does not get in; what they hold is handed in.
    """
    who, api = await _reach(place, address, await place.keeping.remembered())
    try:
        session = await _with_own_password(place, api, await api.resume(), "")
        key = await _key(place, who, session.user.id)
        arrival = await _arrive(api, key, session.user)
    except AccountDisabledError as error:
        handed = await _hand_in(place, who, api)
        raise AccountDisabledError(f"{error} {handed}".strip()) from error
    except ClientError as error:
        copied = await _as_copied(place, who, api) if _is_away(error) else None
        if copied is None:
            raise
        arrival = copied
    return await _enter(place, who, api, arrival)


def _is_away(error: ClientError) -> bool:
    if isinstance(error, ProblemError):
        return error.is_transient
    return isinstance(error, UnreachableError)


async def _as_copied(place: Place, who: _Who, api: Api) -> _Arrival | None:
    """The desk as it was, for whoever is still signed in here; None if nothing usable is kept."""
    if await api.keeper.refresh_token() is None:
        return None
    copies = await _copies(place, who)
    if copies is None:
        return None
    with garbage.bulk():
        copy = await in_thread(copies.load)
    if copies.aside is not None:
        raise OfflineCopyError(
            "The backend cannot be reached, and the copy of the list on this computer cannot be"
            f" read. It is kept as {copies.aside}."
        )
    session = api.keeper.session  # the backend went away after it knew us again
    if copy is None or (session is not None and session.user.id != copy.officer.id):
        return None
    key = await _key(place, who, copy.officer.id)
    if key.id != copy.device.id:
        return None  # the key was lost meanwhile: what it signs now nobody knows yet
    return _Arrival(copy.officer, key, copy.workspace, copy.device, copy)


async def _hand_in(place: Place, who: _Who, api: Api) -> str:
    """Nothing that a disabled officer decided ends in silence. In words, what became of it."""
    try:
        copies = await _copies(place, who)
        copy = None if copies is None else await in_thread(copies.load)
        if copy is None:
            return ""  # whose queue it would be, nobody can say
        outbox, _ = await _outbox(place, who, copy.officer.id)
        return await hand_in(api, outbox, officer=copy.officer.id, device=copy.device.id)
    except (OfflineCopyError, OutboxError, SecretStoreError) as error:
        return str(error)


async def _with_own_password(place: Place, api: Api, session: Session, known: str) -> Session:
    """The session as it is once the person has chosen a password, where one is due."""
    if not session.user.must_change_password:
        return session
    if place.new_password is None or not await place.new_password(AccountApi(api), known):
        raise SignInNeededError("Choose a password of your own first.")
    return session.model_copy(update={"user": await api.me()})


async def _reach(place: Place, address: str, kept: Kept) -> tuple[_Who, Api]:
    backend = await in_thread(place.backends.name_of, address)
    who = _Who(backend, address, kept, embedded=False)
    return who, await _api(place, address, kept.store, backend)


async def _api(place: Place, address: str, store: SecretStore, name: str) -> Api:
    http = await in_thread(open_http, address)  # TLS set-up takes its time
    api = Api(http, SessionKeeper(store, name))
    place.stack.push_async_callback(api.aclose)
    return api


async def _key(place: Place, who: _Who, user: UUID) -> DeviceKey:
    return await in_thread(
        devices.load_or_create, who.kept.store, user, backend=who.backend, new_id=place.new_id
    )


async def _enroll_by_administrator(
    place: Place, who: _Who, key: DeviceKey, sessions: EmbeddedSessions, code: str
) -> None:
    administrator = sessions.administrator
    api = await _api(place, who.address, MemoryStore(), "demo-administrator")
    await api.keeper.keep(administrator)
    root = await _key(place, who, administrator.user.id)
    if (await api.device(root.id)).state is DeviceState.UNKNOWN:
        await devices.enroll_first(
            api,
            root,
            frozenset(administrator.user.roles),
            code=code,
            enrollment_id=place.new_id(),
        )
    await devices.enroll_other(
        api,
        key,
        frozenset(sessions.officer.user.roles),
        by=root,
        enrollment_id=place.new_id(),
    )


async def _arrive(api: Api, key: DeviceKey, officer: User) -> _Arrival:
    return _Arrival(officer, key, await api.workspace(), await api.device(key.id))


async def _copies(place: Place, who: _Who) -> CopyFile | None:
    """Where the list is kept for a start without a network; nowhere if the key would not last.

    The demo's backend is this console's own: it is never away.
    """
    if who.embedded or not who.kept.durability.remembered:
        return None
    sealer = await in_thread(load_sealer, who.kept.store)
    return CopyFile(place.backends.folder_of(who.backend) / who.kept.file(*LIST), sealer)


async def _outbox(place: Place, who: _Who, officer: UUID) -> tuple[Outbox, tuple[Elsewhere, ...]]:
    """The queue, with what could be brought over from others, and what waits in these.

    It is durable; only in memory, for this run, where its key would not outlive that.
    """
    folder = place.backends.folder_of(who.backend)
    sealer = await in_thread(load_sealer, who.kept.store)
    if who.kept.durability.remembered:
        outbox = await Outbox.open(folder / who.kept.file(*QUEUE), sealer)
        place.stack.push_async_callback(outbox.close)
    else:
        outbox = await place.keeping.queues.open(who.backend, sealer)
    bringing = Bringing(
        keeping=place.keeping,
        kept=who.kept,
        folder=folder,
        others=place.backends.others_of(who.backend),
        now=lambda: datetime.now(UTC),
    )
    return outbox, await bringing.into(outbox, officer)


async def _enter(place: Place, who: _Who, api: Api, arrival: _Arrival) -> tuple[Entered, Path]:
    api.keeper.belongs_to = arrival.officer.id
    outbox, elsewhere = await _outbox(place, who, arrival.officer.id)
    entered = Entered(
        address=who.address,
        embedded=who.embedded,
        api=api,
        officer=arrival.officer,
        workspace=arrival.workspace,
        device=arrival.key,
        device_state=arrival.device,
        renew_key=lambda: in_thread(
            devices.renew,
            who.kept.store,
            arrival.key,
            backend=who.backend,
            new_id=place.new_id,
        ),
        durability=who.kept.durability,
        outbox=outbox,
        elsewhere=elsewhere,
        copies=await _copies(place, who),
        copy=arrival.copy,
    )
    return entered, place.backends.folder_of(who.backend)
