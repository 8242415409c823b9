"""What the sandbox knows: its links, and which of them are paid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import StrEnum

_MAX_LINKS = 100_000


class LinkState(StrEnum):
    UNPAID = "UNPAID"
    PAID = "PAID"


class BookError(Exception):
    """The sandbox refuses; `code` is what it answers as `responseCode`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLink:
    """A pay link. `declined` is the code of the last try that failed, while it is unpaid."""

    id: str
    external_id: str
    amount_cents: int
    description: str
    reference: str
    callback_url: str
    success_url: str
    failure_url: str
    cancel_url: str
    created_at: datetime
    state: LinkState = LinkState.UNPAID
    declined: str | None = None


class Book:
    """The links of one sandbox, oldest first. `now` gives UTC, `new_id` ids never given before."""

    def __init__(self, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._now = now
        self._new_id = new_id
        self._links: dict[str, SandboxLink] = {}
        self._by_external: dict[str, str] = {}

    @property
    def links(self) -> tuple[SandboxLink, ...]:
        return tuple(self._links.values())

    def find(self, link_id: str) -> SandboxLink | None:
        return self._links.get(link_id)

    def find_external(self, external_id: str) -> SandboxLink | None:
        return self._links.get(self._by_external.get(external_id, ""))

    def of_days(self, start: date, end: date) -> tuple[SandboxLink, ...]:
        """Made on these days (UTC), both included."""
        return tuple(
            link
            for link in self._links.values()
            if start <= link.created_at.astimezone(UTC).date() <= end
        )

    def add(
        self, *, external_id: str, amount_cents: int, description: str, reference: str,
        callback_url: str, success_url: str, failure_url: str, cancel_url: str,
    ) -> SandboxLink:  # fmt: skip
        """Raises BookError.

        What iKhokha does with an id that it had before is not known. It is refused here, so that
        nobody comes to rely on something kinder.
        """
        if external_id in self._by_external:
            raise BookError("94", "This externalTransactionID was used before.")
        if len(self._links) >= _MAX_LINKS:
            raise BookError("91", "The sandbox is full: start it again.")
        link = SandboxLink(
            id=self._new_id(), external_id=external_id, amount_cents=amount_cents,
            description=description, reference=reference, callback_url=callback_url,
            success_url=success_url, failure_url=failure_url, cancel_url=cancel_url,
            created_at=self._now(),
        )  # fmt: skip
        self._links[link.id] = link
        self._by_external[external_id] = link.id
        return link

    def pay(self, link_id: str) -> SandboxLink:
        """Raises BookError: a link can be paid once."""
        return self._change(link_id, state=LinkState.PAID, declined=None)

    def decline(self, link_id: str, code: str) -> SandboxLink:
        """A try that failed; the link stays payable. Raises BookError where it is paid."""
        return self._change(link_id, state=LinkState.UNPAID, declined=code)

    def _change(self, link_id: str, *, state: LinkState, declined: str | None) -> SandboxLink:
        link = self._links.get(link_id)
        if link is None:
            raise BookError("14", "There is no such link.")
        if link.state is LinkState.PAID:
            raise BookError("94", "This link is paid already.")
        self._links[link_id] = changed = replace(link, state=state, declined=declined)
        return changed
