"""Callbacks of the card provider in the database.

Writes run in the writer's thread (`Writer.run`), which is alone at the ledger's head on all nodes:
what is read there stays true until it is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, func, select

from core.backend.storage.tables import security_alerts, webhook_deliveries, webhook_tries
from core.backend.storage.webhook_records import Alert, Delivery, Refusals, Tried, Try
from core.domain.webhooks import DeliveryState

_c = webhook_deliveries.c
_alerts = security_alerts.c
# Addresses kept by name in each hour and for each kind: a flood must not fill the disk.
MAX_ADDRESSES = 100
OTHERS = ""

_COPIED = (
    webhook_deliveries.update()
    .where(_c.signature == bindparam("signed"))
    .values(copies=_c.copies + bindparam("more"), last_at=bindparam("at"))
)
_TRIED = (
    webhook_deliveries.update()
    # Whoever took it over meanwhile has the say.
    .where(_c.id == bindparam("delivery"), _c.tries == bindparam("n"))
    .where(_c.state == DeliveryState.WAITING)
    .values(
        outcome=bindparam("outcome_"), message=bindparam("message_"), state=bindparam("state_"),
        next_try_at=bindparam("next_"), settled_at=bindparam("settled_"),
        enrollment=func.coalesce(bindparam("enrollment_", type_=_c.enrollment.type), _c.enrollment),
    )
)  # fmt: skip

# --- coming in -----------------------------------------------------------------------------------


def store_deliveries(connection: Connection, came: Sequence[Delivery]) -> list[bool]:
    """Keep each once by its signature: whether it was new, in order; copies are counted."""
    signatures = {delivery.signature for delivery in came}
    known = set(
        connection.execute(select(_c.signature).where(_c.signature.in_(signatures))).scalars()
    )
    new: list[Delivery] = []
    copies: Counter[bytes] = Counter()
    answers = []
    for delivery in came:
        is_new = delivery.signature not in known
        if is_new:
            known.add(delivery.signature)
            new.append(delivery)
        else:
            copies[delivery.signature] += 1
        answers.append(is_new)
    if new:
        connection.execute(webhook_deliveries.insert(), [asdict(delivery) for delivery in new])
    if copies:
        at = max(delivery.last_at for delivery in came)
        rows = [{"signed": name, "more": count, "at": at} for name, count in copies.items()]
        connection.execute(_COPIED, rows)
    return answers


# --- being worked on -----------------------------------------------------------------------------


def has_due(connection: Connection, now: datetime) -> bool:
    """Whether something waits for its turn now."""
    query = select(_c.id).where(_c.next_try_at <= now).limit(1)
    return connection.execute(query).first() is not None


def take_due(
    connection: Connection, *, now: datetime, lease: timedelta, limit: int
) -> list[Delivery]:
    """Begin a try at those whose turn it is, the longest waiting first.

    Should whoever took them die, they come again after `lease`.
    """
    query = select(webhook_deliveries).where(_c.next_try_at <= now).order_by(_c.next_try_at)
    taken = [
        replace(delivery, tries=delivery.tries + 1, spent=delivery.spent + 1)
        for delivery in _read(connection, query.limit(limit))
    ]
    if taken:
        connection.execute(
            webhook_deliveries.update()
            .where(_c.id.in_([delivery.id for delivery in taken]))
            .values(tries=_c.tries + 1, spent=_c.spent + 1, next_try_at=now + lease)
        )
    return taken


def keep_tries(connection: Connection, tried: Sequence[Tried]) -> list[None]:
    """Add each try to its delivery's history, and say what becomes of it."""
    connection.execute(webhook_tries.insert(), [asdict(one.attempt) for one in tried])
    connection.execute(_TRIED, [_outcome(one) for one in tried])
    return [None] * len(tried)


def _outcome(tried: Tried) -> dict[str, object]:
    attempt = tried.attempt
    return {
        "delivery": attempt.delivery,
        "n": attempt.n,
        "outcome_": attempt.outcome,
        "message_": attempt.message,
        "state_": tried.state,
        "next_": tried.next_try_at,
        "settled_": None if tried.state is DeliveryState.WAITING else attempt.at,
        "enrollment_": tried.enrollment,
    }


def requeue(connection: Connection, deliveries: Iterable[UUID], at: datetime) -> None:
    """Try these again from now on, as if they had just come; their history stays."""
    connection.execute(
        webhook_deliveries.update()
        .where(_c.id.in_(list(deliveries)))
        .values(
            state=DeliveryState.WAITING, next_try_at=at, settled_at=None, spent=0,
            replays=_c.replays + 1,
        )
    )  # fmt: skip


def forget_deliveries(connection: Connection, before: datetime, limit: int) -> int:
    """Delete the oldest that are done with since before that time: how many, `limit` at most."""
    done = select(_c.id, _c.settled_at).where(_c.state == DeliveryState.DONE)
    oldest = connection.execute(done.order_by(_c.id).limit(limit))
    ids = [row.id for row in oldest if row.settled_at < before]
    if not ids:
        return 0
    connection.execute(webhook_tries.delete().where(webhook_tries.c.delivery.in_(ids)))
    return connection.execute(webhook_deliveries.delete().where(_c.id.in_(ids))).rowcount


# --- reading -------------------------------------------------------------------------------------


def read_deliveries(connection: Connection, ids: Iterable[UUID]) -> list[Delivery]:
    return _read(connection, select(webhook_deliveries).where(_c.id.in_(list(ids))))


def read_states(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, DeliveryState]:
    rows = connection.execute(select(_c.id, _c.state).where(_c.id.in_(list(ids))))
    return {row.id: row.state for row in rows}


def read_page(
    connection: Connection, *, state: DeliveryState | None, after: UUID | None, limit: int
) -> list[Delivery]:
    """The newest, `after` the last one of the page before."""
    query = select(webhook_deliveries).order_by(_c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(_c.state == state)
    if after is not None:
        query = query.where(_c.id < after)
    return _read(connection, query)


def read_dead(
    connection: Connection, *, since: datetime | None, until: datetime | None
) -> list[UUID]:
    """The dead letters that came in this time, both ends included, oldest first."""
    query = select(_c.id).where(_c.state == DeliveryState.DEAD).order_by(_c.id)
    if since is not None:
        query = query.where(_c.received_at >= since)
    if until is not None:
        query = query.where(_c.received_at <= until)
    return list(connection.execute(query).scalars())


def read_tries(connection: Connection, delivery: UUID) -> list[Try]:
    """Oldest first."""
    tries = webhook_tries.c
    query = select(webhook_tries).where(tries.delivery == delivery).order_by(tries.n)
    return [Try(**row) for row in connection.execute(query).mappings()]


def count_state(connection: Connection, state: DeliveryState) -> int:
    query = select(func.count()).select_from(webhook_deliveries).where(_c.state == state)
    return connection.execute(query).scalar_one()


def _read(connection: Connection, query: Select[*tuple[object, ...]]) -> list[Delivery]:
    return [Delivery(**row) for row in connection.execute(query).mappings()]


# --- what was refused ----------------------------------------------------------------------------


def add_refusals(
    connection: Connection, refused: Sequence[Refusals], new_id: Callable[[], UUID]
) -> list[Alert]:
    """Add these to what is kept of each hour; the rows as they are then."""
    return [_add(connection, one, new_id) for one in refused]


def _add(connection: Connection, one: Refusals, new_id: Callable[[], UUID]) -> Alert:
    known = _alert(connection, one)
    if known is None and one.address != OTHERS and _is_full(connection, one):
        one = replace(one, address=OTHERS)
        known = _alert(connection, one)
    if known is None:
        alert = Alert(id=new_id(), **asdict(one))
        connection.execute(security_alerts.insert(), asdict(alert))
        return alert
    alert = replace(known, last_at=max(known.last_at, one.last_at), count=known.count + one.count)
    connection.execute(
        security_alerts.update()
        .where(_alerts.id == alert.id)
        .values(last_at=alert.last_at, count=alert.count)
    )
    return alert


def _alert(connection: Connection, one: Refusals) -> Alert | None:
    query = select(security_alerts).where(
        _alerts.hour == one.hour, _alerts.kind == one.kind, _alerts.address == one.address
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else Alert(**row)


def _is_full(connection: Connection, one: Refusals) -> bool:
    query = select(func.count()).where(_alerts.hour == one.hour, _alerts.kind == one.kind)
    return connection.execute(query).scalar_one() >= MAX_ADDRESSES


def read_alerts(connection: Connection, after: UUID | None, limit: int) -> list[Alert]:
    """Newest first."""
    query = select(security_alerts).order_by(_alerts.id.desc()).limit(limit)
    if after is not None:
        query = query.where(_alerts.id < after)
    return [Alert(**row) for row in connection.execute(query).mappings()]


def count_refused(connection: Connection, since: datetime) -> int:
    """Callbacks refused in the hours from `since` on."""
    query = select(func.coalesce(func.sum(_alerts.count), 0)).where(_alerts.hour >= since)
    return int(connection.execute(query).scalar_one())


def forget_alerts(connection: Connection, before: datetime) -> int:
    """Delete those of hours before that time: how many."""
    return connection.execute(security_alerts.delete().where(_alerts.hour < before)).rowcount
