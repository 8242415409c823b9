"""`WebhookHandler`: takes the card provider's callbacks. What they say is a hint and no more.

A callback is checked, kept on the disk once, and answered; what it is about is asked of the
provider afterwards (`webhook_worker.py`). Whatever is not rightly signed changes nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from core.backend.gateway.callback import Callback, read_callback
from core.backend.gateway.requests import is_id
from core.backend.gateway.signature import verify_callback
from core.backend.services.group_commit import GroupCommit
from core.backend.services.webhook_alerts import SecurityAlerts
from core.backend.services.webhook_worker import DeliveryWorker
from core.backend.storage import webhooks
from core.backend.storage.vault import Vault
from core.backend.storage.webhook_records import Delivery
from core.backend.storage.writer import Writer
from core.domain.webhooks import AlertKind

_MAX_CODE = 20


class CallbackRefusedError(Exception):
    """It does not come from the provider, as far as anybody can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackKeys:
    """Whom callbacks are for, and what they may be signed with: the current secret first."""

    app_id: str
    secrets: tuple[str, ...] = field(repr=False)


class WebhookHandler:
    """`path` is that of the address that the provider was given; `provider` is its name."""

    def __init__(
        self,
        *,
        writer: Writer,
        vault: Vault,
        worker: DeliveryWorker,
        alerts: SecurityAlerts,
        keys: CallbackKeys,
        provider: str,
        path: str,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._vault = vault
        self._keys = keys
        self._provider = provider
        self._path = path
        self._clock = clock
        self._new_id = new_id
        self._inbox = GroupCommit(writer, webhooks.store_deliveries, name="webhook-inbox")
        self.worker = worker
        self.alerts = alerts

    def start(self) -> None:
        self.worker.start()
        self.alerts.start()

    async def stop(self) -> None:
        await self._inbox.stop()
        await self.worker.stop()
        await self.alerts.stop()

    async def receive(
        self, raw: bytes, *, signature: str | None, app_id: str | None, address: str
    ) -> bool:
        """Keep a callback; once this returns it is on the disk. Whether it was new.

        `raw` is the body as it came, `address` where from. Total over any bytes. Raises
        CallbackRefusedError (noted as an alert), BusyError.
        """
        problem = self._problem(raw, signature, app_id)
        if problem is not None:
            self.alerts.note(problem, address)
            raise CallbackRefusedError(problem.value)
        is_new = await self._inbox.put(self._delivery(raw, signature or ""))
        if is_new:
            self.worker.wake()
        return is_new

    def _problem(self, raw: bytes, signature: str | None, app_id: str | None) -> AlertKind | None:
        signed = verify_callback(self._path, raw, signature, self._keys.secrets)
        ours = hmac.compare_digest(
            (app_id or "").strip().encode(errors="replace"), self._keys.app_id.encode()
        )
        if not signed:
            return AlertKind.BAD_SIGNATURE
        return None if ours else AlertKind.WRONG_APP

    def _delivery(self, raw: bytes, signature: str) -> Delivery:
        callback = read_callback(raw)
        now, delivery = self._clock(), self._new_id()
        claims = callback if callback is not None and is_id(callback.link_id) else None
        return Delivery(
            id=delivery,
            provider=self._provider,
            # What was signed decides what is a copy: a field that is not signed may differ.
            signature=bytes.fromhex(signature.strip()),
            sealed=self._vault.seal(raw, place=body_place(delivery)),
            received_at=now,
            last_at=now,
            next_try_at=now,
            link_id=claims.link_id if claims else None,
            external_id=_external(claims),
            success=claims.success if claims else None,
            code=_code(claims),
        )


def body_place(delivery: UUID) -> str:
    """Where the body of a delivery is sealed for."""
    return f"webhook_deliveries/{delivery}"


def _external(callback: Callback | None) -> str | None:
    named = callback.external_id if callback else None
    return named if named is not None and is_id(named) else None


def _code(callback: Callback | None) -> str | None:
    code = callback.code if callback else None
    return code if code is not None and len(code) <= _MAX_CODE and is_id(code) else None
