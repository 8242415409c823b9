"""What signing in gives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from console.elsewhere import Elsewhere
from core.client.api import Api
from core.client.device import DeviceKey
from core.client.offline_copy import CopyFile, OfflineCopy
from core.client.outbox import Outbox
from core.client.secrets import Durability
from core.protocol.messages import Device, User, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What signing in gave: everything a desk is built from. `device_state` is as the backend
    knows this console's key, and `renew_key` puts a fresh one in its place, for the next time
    somebody comes in (raises SecretStoreError); `embedded` marks the demo workspace in our own
    child process.

    `elsewhere` tells of decisions in queues that could not be opened now.

    `copies` keeps the list for a start without a network, where anything is kept. `copy` is there
    when this start was one: nobody has reached the backend yet, and all is as it was then.
    """

    address: str
    embedded: bool
    api: Api
    officer: User
    workspace: Workspace
    device: DeviceKey
    device_state: Device
    renew_key: Callable[[], Awaitable[object]]
    durability: Durability
    outbox: Outbox
    elsewhere: tuple[Elsewhere, ...] = ()
    copies: CopyFile | None = None
    copy: OfflineCopy | None = None
