"""`Enrollment`: this console's key on its way to being one that may sign, and the roots behind it.

An officer's console asks by itself and waits; an administrator's asks too, or becomes a root with a
one-time code from the server. A key that was revoked makes place for a fresh one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from uuid import UUID

from console.entered import Entered
from core.client import device as devices
from core.client.errors import ClientError, ProblemError, SecretStoreError
from core.client.witness import Witness
from core.domain.roles import Role
from core.ledger.errors import LedgerError
from core.ledger.leaf import Leaf, decode
from core.protocol.feed import Entry
from core.protocol.messages import Device, DeviceRequestRow, DeviceState, Workspace

_ASKING = frozenset({DeviceState.UNKNOWN, DeviceState.WAITING})
# What the administration shows; every other entry is somebody's payment.
_HOUSE = ('"action":"device.', '"action":"user.', '"action":"course.', '"action":"workspace.')


class Enrollment:
    """`on_change` gets this console's device whenever the backend tells another state of it;
    `on_news` is called when users, devices, courses or the workspace changed."""

    def __init__(
        self,
        entered: Entered,
        *,
        on_change: Callable[[Device], None],
        on_news: Callable[[], None],
        new_id: Callable[[], UUID],
    ) -> None:
        self._entered = entered
        self._on_change = on_change
        self._on_news = on_news
        self._new_id = new_id
        self._witness: Witness | None = None
        self._asking = asyncio.Lock()
        self.device = entered.device_state
        self.has_root = bool(entered.workspace.root_fingerprints)
        """Whether any administrator's device can enroll others."""

    def join(self, witness: Witness) -> None:
        """Whom to tell about root devices."""
        self._witness = witness

    # --- this console's own key ---

    @property
    def can_become_root(self) -> bool:
        """Whether a one-time code would make this console an administrator's device."""
        administrator = Role.ADMINISTRATOR in self._entered.officer.roles
        return administrator and self.device.state in _ASKING | {DeviceState.REFUSED}

    async def ask(self) -> None:
        """Ask the administrators to enroll this console, where nobody knows it yet."""
        async with self._asking:
            if self.device.state is not DeviceState.UNKNOWN:
                return
            try:
                self._take(await self._request())
            except ClientError:
                return  # the banner says that it is not enrolled; `catch_up` asks again

    async def ask_again(self) -> None:
        """After a refusal, because a person wants it. Raises ClientError."""
        self._take(await self._request())

    async def make_new_key(self) -> None:
        """In place of the one that was revoked; it asks as soon as somebody comes in with it.

        Raises ClientError.
        """
        if self.device.state is not DeviceState.REVOKED:
            raise SecretStoreError("This console's key was not revoked: it stays.")
        await self._entered.renew_key()

    async def become_root(self, code: str) -> None:
        """With the one-time code from the server. Raises ClientError."""
        key = self._entered.device
        if self._witness is not None:
            await self._witness.trust_root(key.fingerprint)
        try:
            answer = await devices.enroll_first(
                self._entered.api, key, self._roles, code=code, enrollment_id=self._new_id()
            )
        except ProblemError:
            if self._witness is not None:
                await self._witness.trust_root(key.fingerprint, trusted=False)
            raise
        self.has_root = True
        self._take(answer)

    async def catch_up(self) -> None:
        """A connection is there: what happened meanwhile may not come over the feed."""
        await self.look_at_roots()
        await self.look_again()
        self._on_news()

    async def look_again(self) -> None:
        """What does the backend say of this device now?"""
        try:
            self._take(await self._entered.api.device(self._entered.device.id))
        except ClientError:
            return
        await self.ask()

    # --- for other consoles ---

    async def approve(self, asked: DeviceRequestRow) -> None:
        """Enroll another console by this one's key. Raises ClientError."""
        await devices.approve(
            self._entered.api, asked, by=self._entered.device, enrollment_id=self._new_id()
        )

    async def revoke(self, device: UUID) -> None:
        """Take a device out by this one's key. Raises ClientError."""
        await devices.revoke(
            self._entered.api, device, by=self._entered.device, revocation_id=self._new_id()
        )

    # --- the ledger ---

    async def follow(self, entries: Iterable[Entry]) -> None:
        """What the feed brought."""
        found = [leaf for entry in entries if (leaf := _about_the_house(entry)) is not None]
        if not found:
            return
        me = str(self._entered.device.id)
        if any(leaf.action == "device.enrolled" and leaf.facts.get("root") for leaf in found):
            await self.look_at_roots()
        if any(leaf.facts.get("device") == me for leaf in found):
            await self.look_again()
        self._on_news()

    async def look_at_roots(self) -> None:
        """Hold the roots that the backend tells now against those that were pinned."""
        try:
            workspace = await self._entered.api.workspace()
        except ClientError:
            return
        await self.pin_roots(workspace)

    async def pin_roots(self, workspace: Workspace) -> None:
        """At first contact, and against later news. Our own child's roots need no pinning."""
        self.has_root = bool(workspace.root_fingerprints)
        if self._witness is not None and not self._entered.embedded:
            await self._witness.pin_roots(workspace.root_fingerprints)

    # --- inside ---

    @property
    def _roles(self) -> frozenset[Role]:
        return frozenset(self._entered.officer.roles)

    async def _request(self) -> Device:
        return await devices.request(
            self._entered.api, self._entered.device, self._roles, request_id=self._new_id()
        )

    def _take(self, device: Device) -> None:
        changed = device.state is not self.device.state
        self.device = device
        if changed:
            self._on_change(device)


def _about_the_house(entry: Entry) -> Leaf | None:
    """The leaf, if it is no payment's; most entries are, and need not be decoded."""
    if not any(action in entry.leaf for action in _HOUSE):
        return None
    try:
        return decode(entry.leaf.encode())
    except LedgerError:
        return None  # the witness has seen it, too, and sounds the alarm where it must
