"""A card provider for tests, at our own port: it does what it is told, and forgets nothing.

`fault(name)` is called around every step that can be cut off; a test lets it raise there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from core.backend.gateway.provider import LinkRequest, LinkStatus, PayLink, ProviderError
from core.domain.failures import FailureClass

PAID, UNPAID = "PAID", "UNPAID"


def nothing(_where: str) -> None:
    """No fault."""


def trouble(
    failure: FailureClass = FailureClass.PROVIDER_DOWN,
    *,
    unknown: bool = False,
    retryable: bool = True,
) -> ProviderError:
    return ProviderError(
        "The provider does not answer.",
        failure=failure,
        retryable=retryable,
        outcome_unknown=unknown,
    )


@dataclass
class ScriptedProvider:
    """`links` by the provider's id; `down` is raised by every call while it is set.

    `lies` changes an answer on its way out.
    """

    name: str = "scripted"
    live: bool = False
    links: dict[str, LinkStatus] = field(default_factory=dict)
    requests: list[LinkRequest] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    days: list[tuple[date, date]] = field(default_factory=list)
    down: ProviderError | None = None
    fault: Callable[[str], None] = nothing
    lies: Callable[[LinkStatus], LinkStatus] = field(default=lambda status: status)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def create_link(self, request: LinkRequest) -> PayLink:
        self._answer("before create")
        self.requests.append(request)
        made = PayLink(
            id=f"link{next(self._numbers)}",
            url=f"https://pay.example/{len(self.requests)}",
            external_id=request.external_id,
        )
        self.links[made.id] = LinkStatus(
            link_id=made.id,
            word=UNPAID,
            paid=False,
            amount_cents=request.amount_cents,
            external_id=request.external_id,
            created_at=datetime(2026, 3, 2, tzinfo=UTC),
            description=request.description,
        )
        self._answer("after create")
        return made

    async def link_status(self, link_id: str) -> LinkStatus:
        self.asked.append(link_id)
        self._answer("status")
        return self.lies(self.links[link_id])

    async def transaction_status(self, external_id: str) -> LinkStatus | None:
        self.asked.append(external_id)
        self._answer("status")
        found = [link for link in self.links.values() if link.external_id == external_id]
        return self.lies(found[0]) if found else None

    async def history(self, start: date, end: date) -> tuple[LinkStatus, ...]:
        self.days.append((start, end))
        self._answer("history")
        return tuple(self.links.values())

    def _answer(self, where: str) -> None:
        self.fault(where)
        if self.down is not None:
            raise self.down

    # --- what people do at the provider's page -------------------------------------------------

    def pay(self, link_id: str | None = None) -> None:
        """Somebody pays on this link; on the newest one unless it is named."""
        name = link_id or list(self.links)[-1]
        self.links[name] = replace(self.links[name], word=PAID, paid=True)

    def foreign(self, link_id: str, cents: int | None = 5_000) -> None:
        """A payment that has nothing to do with us."""
        self.links[link_id] = LinkStatus(
            link_id=link_id, word=PAID, paid=True, amount_cents=cents, external_id="till-7",
            created_at=None, description="",
        )  # fmt: skip
