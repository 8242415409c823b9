"""How a console comes to a desk: the embedded demo, or a backend somewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from console.entered import Entered
from console.runtime.work import in_thread
from core.client import device as devices
from core.client.api import Api
from core.client.api_admin import AccountApi
from core.client.device import DeviceKey
from core.client.embedded import EmbeddedBackend
from core.client.errors import SignInNeededError
from core.client.http import open_http
from core.client.outbox import Outbox
from core.client.sealing import load_sealer
from core.client.secrets import Durability, MemoryStore, SecretStore, open_secret_store
from core.client.session import SessionKeeper
from core.protocol.messages import DeviceState, EmbeddedSessions, Session

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
    open_store: Callable[[], tuple[SecretStore, Durability]] = open_secret_store
    new_password: NewPassword | None = None

    def files_of(self, backend: str) -> Path:
        """The folder for one backend's outbox and witness; made if it is not there."""
        name = hashlib.sha256(backend.encode()).hexdigest()[:16]
        folder = self.folder / "backends" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@dataclass(frozen=True, slots=True)
class _Who:
    """`backend` names it for keyring and files; the demo's address changes at each start."""

    backend: str
    address: str
    store: SecretStore
    durability: Durability
    embedded: bool


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
    store, durability = await in_thread(place.open_store)
    who = _Who(f"demo:{place.folder}", child.url, store, durability, embedded=True)
    tell("Signing in…")
    # Each start claims fresh sessions: there is nothing to remember.
    api = await _api(place, child.url, MemoryStore(), "demo-officer")
    sessions = await api.claim_embedded(child.token)
    await api.keeper.keep(sessions.officer)
    tell("Enrolling this console…")
    key = await _key(place, who, sessions.officer)
    if (await api.device(key.id)).state is DeviceState.UNKNOWN:
        await _enroll_by_administrator(place, who, key, sessions, child.token)
    return await _enter(place, who, api, key, sessions.officer)


async def enter_backend(
    place: Place, address: str, *, email: str, password: str
) -> tuple[Entered, Path]:
    """Sign in with a password. Raises ClientError."""
    who, api = await _reach(place, address)
    session = await _with_own_password(place, api, await api.sign_in(email, password), password)
    return await _enter(place, who, api, await _key(place, who, session), session)


async def resume_backend(place: Place, address: str) -> tuple[Entered, Path]:
    """Take up the remembered session. Raises ClientError; SignInNeededError if there is none."""
    who, api = await _reach(place, address)
    session = await _with_own_password(place, api, await api.resume(), "")
    return await _enter(place, who, api, await _key(place, who, session), session)


async def _with_own_password(place: Place, api: Api, session: Session, known: str) -> Session:
    """The session as it is once the person has chosen a password, where one is due."""
    if not session.user.must_change_password:
        return session
    if place.new_password is None or not await place.new_password(AccountApi(api), known):
        raise SignInNeededError("Choose a password of your own first.")
    return session.model_copy(update={"user": await api.me()})


async def _reach(place: Place, address: str) -> tuple[_Who, Api]:
    store, durability = await in_thread(place.open_store)
    who = _Who(address, address, store, durability, embedded=False)
    return who, await _api(place, address, store, address)


async def _api(place: Place, address: str, store: SecretStore, name: str) -> Api:
    http = await in_thread(open_http, address)  # TLS set-up takes its time
    api = Api(http, SessionKeeper(store, name))
    place.stack.push_async_callback(api.aclose)
    return api


async def _key(place: Place, who: _Who, session: Session) -> DeviceKey:
    return await in_thread(
        devices.load_or_create,
        who.store,
        session.user.id,
        backend=who.backend,
        new_id=place.new_id,
    )


async def _enroll_by_administrator(
    place: Place, who: _Who, key: DeviceKey, sessions: EmbeddedSessions, code: str
) -> None:
    administrator = sessions.administrator
    api = await _api(place, who.address, MemoryStore(), "demo-administrator")
    await api.keeper.keep(administrator)
    root = await _key(place, who, administrator)
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


async def _enter(
    place: Place, who: _Who, api: Api, key: DeviceKey, session: Session
) -> tuple[Entered, Path]:
    files = place.files_of(who.backend)
    sealer = await in_thread(load_sealer, who.store)
    outbox = await Outbox.open(files / "outbox.sqlite3", sealer)
    place.stack.push_async_callback(outbox.close)
    entered = Entered(
        address=who.address,
        embedded=who.embedded,
        api=api,
        officer=session.user,
        workspace=await api.workspace(),
        device=key,
        device_state=await api.device(key.id),
        durability=who.durability,
        outbox=outbox,
    )
    return entered, files
