"""Card links, late money and refunds in the database.

What makes an entry goes through commands. Here are the reads, and what the provider told about a
link: no entry, and nothing that a person decides by. Writes run in the writer's thread
(`Writer.run`), so that none comes between the reads and the writes of a batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Update, or_, select

from core.backend.storage.payment_records import CardLink, LateMoney, Refund
from core.backend.storage.tables import card_links, late_money, refunds
from core.domain.card_money import LateState, LinkState, RefundState

_links = card_links.c
OPEN_REFUNDS = (RefundState.DUE, RefundState.SENT)
# After this many looks of the sweeper (a day) a transaction that nobody knows will not turn up.
GIVE_UP_AFTER = 5

# --- reading -----------------------------------------------------------------------------------


def read_links(
    connection: Connection,
    *,
    attempts: Collection[UUID] = (),
    enrollments: Collection[UUID] = (),
) -> list[CardLink]:
    """The links of these attempts and of these enrollments, oldest first."""
    wanted = [
        column.in_(list(keys))
        for column, keys in ((_links.attempt, attempts), (_links.enrollment, enrollments))
        if keys
    ]
    if not wanted:
        return []
    rows = connection.execute(select(card_links).where(or_(*wanted)).order_by(_links.attempt))
    return [CardLink(**row) for row in rows.mappings()]


def read_link(connection: Connection, attempt: UUID) -> CardLink | None:
    return next(iter(read_links(connection, attempts=[attempt])), None)


def read_links_by_link_id(
    connection: Connection, provider: str, ids: Collection[str]
) -> list[CardLink]:
    condition = (_links.provider == provider) & _links.link_id.in_(list(ids))
    return [
        CardLink(**row)
        for row in connection.execute(select(card_links).where(condition)).mappings()
    ]


def read_link_page(connection: Connection, after: UUID | None, limit: int) -> list[CardLink]:
    """The newest links, `after` the last one of the page before."""
    query = select(card_links).order_by(_links.attempt.desc()).limit(limit)
    if after is not None:
        query = query.where(_links.attempt < after)
    return [CardLink(**row) for row in connection.execute(query).mappings()]


def read_late_money(connection: Connection, ids: Iterable[UUID]) -> list[LateMoney]:
    query = select(late_money).where(late_money.c.id.in_(list(ids)))
    return [LateMoney(**row) for row in connection.execute(query).mappings()]


def read_late_page(
    connection: Connection, after: UUID | None, limit: int, *, open_only: bool
) -> list[LateMoney]:
    """Newest first."""
    query = select(late_money).order_by(late_money.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(late_money.c.id < after)
    if open_only:
        query = query.where(late_money.c.state == LateState.OPEN)
    return [LateMoney(**row) for row in connection.execute(query).mappings()]


def read_known_late(connection: Connection, provider: str, link_ids: Collection[str]) -> set[str]:
    """Those of these links whose money was found late before."""
    columns = late_money.c
    condition = (columns.provider == provider) & columns.link_id.in_(list(link_ids))
    return set(connection.execute(select(columns.link_id).where(condition)).scalars())


def read_refunds(connection: Connection, enrollments: Iterable[UUID]) -> list[Refund]:
    query = select(refunds).where(refunds.c.enrollment.in_(list(enrollments)))
    return [Refund(**row) for row in connection.execute(query).mappings()]


def read_refund(connection: Connection, attempt: UUID) -> Refund | None:
    row = connection.execute(select(refunds).where(refunds.c.attempt == attempt)).mappings().first()
    return None if row is None else Refund(**row)


def read_refund_page(
    connection: Connection, after: UUID | None, limit: int, *, open_only: bool
) -> list[Refund]:
    """Newest attempts first."""
    query = select(refunds).order_by(refunds.c.attempt.desc()).limit(limit)
    if after is not None:
        query = query.where(refunds.c.attempt < after)
    if open_only:
        query = query.where(refunds.c.state.in_(OPEN_REFUNDS))
    return [Refund(**row) for row in connection.execute(query).mappings()]


# --- what the provider told --------------------------------------------------------------------


def store_link(connection: Connection, attempt: UUID, link_id: str, url: str | None) -> CardLink:
    """What the provider made; the first one stays. `url` None where only the link is known.

    Returns the link as it is then.
    """
    known = _known(connection, attempt)
    if known.state is not LinkState.PAID and known.link_id in {None, link_id}:
        values: dict[str, Any] = {"link_id": link_id, "state": LinkState.OPEN, "final": False}
        if url is not None:
            values["url"] = url
        if known.next_ask_at is None:
            values["next_ask_at"] = known.created_at
        connection.execute(_of(attempt).values(values))
    return _known(connection, attempt)


def close_link(connection: Connection, attempt: UUID) -> None:
    """The provider certainly made no link: there is nothing to ask about."""
    values = {"state": LinkState.FAILED, "final": True, "next_ask_at": None}
    unknown = (_links.state == LinkState.CREATING) & _links.link_id.is_(None)
    connection.execute(_of(attempt).where(unknown).values(values))


def note_answer(
    connection: Connection,
    attempt: UUID,
    *,
    word: str,
    gone: bool,
    now: datetime,
    next_ask_at: datetime | None,
) -> None:
    """What the provider says now. `next_ask_at` where the sweeper asked; None: its turn stays."""
    known = _known(connection, attempt)
    if known.state is LinkState.PAID:
        return
    values: dict[str, Any] = {"word": word, "asked_at": now}
    if gone and known.link_id is None:
        values["state"] = LinkState.GONE
    if next_ask_at is not None:
        values |= {"asks": known.asks + 1, "next_ask_at": next_ask_at}
        if gone and known.asks + 1 >= GIVE_UP_AFTER:
            values |= {"final": True, "next_ask_at": None}
    connection.execute(_of(attempt).values(values))


def take_due(
    connection: Connection, provider: str, *, now: datetime, lease: timedelta, limit: int
) -> list[CardLink]:
    """The links whose turn it is, the longest waiting first; theirs comes again after `lease`,
    should whoever took them die."""
    query = (
        select(card_links)
        .where(_links.next_ask_at <= now, _links.provider == provider)
        .order_by(_links.next_ask_at)
        .limit(limit)
    )
    due = [CardLink(**row) for row in connection.execute(query).mappings()]
    if due:
        taken = card_links.update().where(_links.attempt.in_([link.attempt for link in due]))
        connection.execute(taken.values(next_ask_at=now + lease))
    return due


def _of(attempt: UUID) -> Update:
    return card_links.update().where(_links.attempt == attempt)


def _known(connection: Connection, attempt: UUID) -> CardLink:
    found = read_link(connection, attempt)
    if found is None:
        raise LookupError("there is no link for this attempt")
    return found
