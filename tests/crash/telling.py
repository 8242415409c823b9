"""What both consoles of a campaign tell the harness, one JSON line each.

    {"event": "item", "id": .., "kind": .., "n": .., "enrollment": .., "state": ..,
     "settled": .., "index": ..}     something that is stored, whenever it changed
    {"event": "live"}                the list is the backend's, for the first time
    {"event": "signed_in_again"}     the session was over, the person gave the password
    {"event": "bug", "what": ..}

Commands: {"do": "work"}: decide what comes, until {"do": "rest"}; {"do": "standing"};
{"do": "items"}: everything the queue holds; {"do": "rows"}: the pending list. Each gets a line with
"ok".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from core.client.outbox import Outbox, OutboxItem
from core.client.witness import WitnessStatus
from core.domain.decisions import ReasonCode
from core.protocol.messages import EnrollmentRow
from tests.benchmarks.processes import say

REASON = ReasonCode.NO_PAYMENT_FOUND
REJECTED_SHARE = 0.3
AGAIN_SHARE = 0.02
"""How often a row is decided although an own decision about it waits: one of them must lose."""
WITHDRAWN_SHARE = 0.03
PAUSE_SECONDS = 0.02
NOWHERE: Mapping[str, Any] = MappingProxyType(
    {"live": False, "open": -1, "verified_to": None, "alarm": False}
)
"""The standing while nobody is signed in."""
_MOST = 100_000


def facts(item: OutboxItem) -> dict[str, Any]:
    return {
        "id": str(item.id),
        "kind": item.kind.value,
        "n": item.n,
        "enrollment": str(item.enrollment),
        "state": item.state.value,
        "settled": item.is_settled,
        "index": item.answer.index if item.answer is not None else None,
    }


def tell_item(item: OutboxItem) -> None:
    say(event="item", **facts(item))


async def items_of(outbox: Outbox, officer: UUID) -> dict[str, Any]:
    """Everything there is of this officer, and what was set aside."""
    found = await outbox.open_for(officer) + await outbox.history_for(officer, _MOST)
    notices = [notice.message for notice in await outbox.notices()]
    return {"items": [facts(item) for item in found], "notices": notices}


async def standing_of(
    outbox: Outbox, officer: UUID, *, live: bool, witness: WitnessStatus | None
) -> dict[str, Any]:
    """`open`: what still waits for its answer, withdrawals too."""
    found = await outbox.open_for(officer)
    alarm = witness is not None and witness.alarm is not None
    return {
        "live": live,
        "open": sum(not item.is_settled for item in found),
        "verified_to": None if witness is None else witness.verified_to,
        "alarm": alarm,
    }


def rows_of(rows: Iterable[EnrollmentRow]) -> dict[str, Any]:
    return {"rows": [[str(row.enrollment), row.version] for row in rows]}
