"""`WebhookDesk`: callbacks as staff see them: how each went, dead letters, alerts, replays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import Connection

from core.backend.services.errors import NotFoundError
from core.backend.services.identities import Asker
from core.backend.services.rows import Rows
from core.backend.services.submitting import submit_or_raise
from core.backend.services.webhook_alerts import MANY
from core.backend.services.webhook_replay import ReplayCommand
from core.backend.services.webhooks import WebhookHandler, body_place
from core.backend.storage import queries, webhooks
from core.backend.storage.errors import VaultError
from core.backend.storage.queries import Bundle
from core.backend.storage.reader import Reader
from core.backend.storage.vault import Vault
from core.backend.storage.webhook_records import Alert, Delivery, Try
from core.backend.storage.writer import Writer
from core.domain.roles import SYSTEM
from core.domain.webhooks import AlertKind, DeliveryState
from core.protocol.messages import (
    MAX_REPLAYED,
    SecurityAlertPage,
    SecurityAlertRow,
    WebhookDetail,
    WebhookPage,
    WebhookRow,
    WebhooksReplayed,
    WebhookStanding,
    WebhookTry,
)

_DAY = timedelta(days=1)
_UNKNOWN = ("unknown_delivery", "There is no such callback.")
_SAID = {
    AlertKind.BAD_SIGNATURE: "A callback without a valid signature was refused.",
    AlertKind.WRONG_APP: "A signed callback for another application was refused.",
}
_SAID_MANY = {
    AlertKind.BAD_SIGNATURE: "Many callbacks without a valid signature came from",
    AlertKind.WRONG_APP: "Many signed callbacks for another application came from",
}


class WebhookDesk:
    """`handler` None: no callbacks come here (any more); what came can still be seen."""

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        vault: Vault,
        rows: Rows,
        handler: WebhookHandler | None,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._vault = vault
        self._rows = rows
        self._handler = handler
        self._clock = clock
        self._new_id = new_id

    def by_system(self) -> Asker:
        """Somebody at the machine itself asks, once."""
        return Asker(SYSTEM, None, str(self._new_id()))

    async def page(
        self, *, state: DeliveryState | None, after: UUID | None, limit: int
    ) -> WebhookPage:
        """Newest first; `state` None: all."""
        rows = await self._reader.run(
            lambda c: self._read(c, webhooks.read_page(c, state=state, after=after, limit=limit))
        )
        return WebhookPage(rows=rows, next_after=rows[-1].id if len(rows) == limit else None)

    async def detail(self, delivery: UUID) -> WebhookDetail:
        """With its body and every try. Raises NotFoundError."""

        def read(connection: Connection) -> WebhookDetail:
            found = webhooks.read_deliveries(connection, [delivery])
            if not found:
                raise NotFoundError(*_UNKNOWN)
            tries = webhooks.read_tries(connection, delivery)
            return WebhookDetail(
                row=self._read(connection, found)[0],
                body=self._body(found[0]),
                tries=tuple(_try(one) for one in tries),
            )

        return await self._reader.run(read)

    async def standing(self) -> WebhookStanding:
        """How many wait, are dead, and were refused since a day ago."""
        since = self._clock() - _DAY

        def read(connection: Connection) -> WebhookStanding:
            return WebhookStanding(
                waiting=webhooks.count_state(connection, DeliveryState.WAITING),
                dead=webhooks.count_state(connection, DeliveryState.DEAD),
                refused=webhooks.count_refused(connection, since),
            )

        return await self._reader.run(read)

    async def alerts(self, *, after: UUID | None, limit: int) -> SecurityAlertPage:
        """Newest first."""
        found = await self._reader.run(lambda c: webhooks.read_alerts(c, after, limit))
        rows = tuple(_alert(alert) for alert in found)
        return SecurityAlertPage(rows=rows, next_after=rows[-1].id if len(rows) == limit else None)

    # --- replaying -----------------------------------------------------------------------------

    async def replay(self, by: Asker, deliveries: Sequence[UUID]) -> WebhooksReplayed:
        """Have these worked on again, at most MAX_REPLAYED.

        Raises NotFoundError, ConflictError (all of them wait already), NotAllowedError.
        """
        command = ReplayCommand(
            deliveries=tuple(deliveries), actor=by.actor, session=by.session, key=by.key
        )
        answer = (await submit_or_raise(self._writer, command)).answer
        if self._handler is not None:
            self._handler.worker.wake()
        assert answer.index is not None  # noqa: S101 - an accepted one has its entry
        return WebhooksReplayed(index=answer.index)

    async def replay_dead(self, *, since: datetime | None, until: datetime | None) -> int:
        """At the machine itself: every dead letter that came in this time; how many they were."""
        dead = await self._reader.run(lambda c: webhooks.read_dead(c, since=since, until=until))
        rest = iter(dead)
        while some := tuple(islice(rest, MAX_REPLAYED)):
            await self.replay(self.by_system(), some)
        return len(dead)

    # --- rows ----------------------------------------------------------------------------------

    def _read(self, connection: Connection, found: Iterable[Delivery]) -> tuple[WebhookRow, ...]:
        deliveries = list(found)
        enrollments = {d.enrollment for d in deliveries if d.enrollment is not None}
        bundles = {b.enrollment.id: b for b in queries.read_bundles(connection, enrollments)}
        return tuple(self._row(delivery, bundles) for delivery in deliveries)

    def _row(self, delivery: Delivery, bundles: Mapping[UUID, Bundle]) -> WebhookRow:
        bundle = bundles.get(delivery.enrollment) if delivery.enrollment else None
        return WebhookRow(
            id=delivery.id,
            provider=delivery.provider,
            received_at=delivery.received_at,
            success=delivery.success,
            code=delivery.code or "",
            link_id=delivery.link_id,
            external_id=delivery.external_id,
            copies=delivery.copies,
            last_at=delivery.last_at,
            state=delivery.state,
            outcome=delivery.outcome,
            message=delivery.message,
            tries=delivery.tries,
            replays=delivery.replays,
            next_try_at=delivery.next_try_at,
            settled_at=delivery.settled_at,
            enrollment=delivery.enrollment,
            reference=bundle.enrollment.reference if bundle else None,
            student_name=self._rows.person(bundle.student).name if bundle else None,
            course_title=bundle.course.title if bundle else None,
        )

    def _body(self, delivery: Delivery) -> str | None:
        try:
            plain = self._vault.open(delivery.sealed, place=body_place(delivery.id))
        except VaultError:
            return None
        return plain.decode(errors="replace")


def _try(one: Try) -> WebhookTry:
    return WebhookTry(n=one.n, at=one.at, outcome=one.outcome, message=one.message)


def _alert(alert: Alert) -> SecurityAlertRow:
    many = alert.count >= MANY
    return SecurityAlertRow(
        id=alert.id,
        kind=alert.kind,
        address=alert.address,
        first_at=alert.first_at,
        last_at=alert.last_at,
        count=alert.count,
        many=many,
        message=_message(alert, many=many),
    )


def _message(alert: Alert, *, many: bool) -> str:
    if not many:
        return _SAID[alert.kind]
    where = "one address" if alert.address else "many addresses"
    return f"{_SAID_MANY[alert.kind]} {where}."
