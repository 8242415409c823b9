"""Callbacks of the card provider, as staff see them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from core.domain.webhooks import AlertKind, DeliveryState
from core.protocol.messages.fields import Index, Line, Message, ShortText

WEBHOOK_PAGE_ROWS = 100
MAX_REPLAYED = 200

Said = Annotated[str, StringConstraints(max_length=500)]


class WebhookRow(Message):
    """One callback. `success`: what it claims, None where it cannot be read.

    `outcome` and `message` are of the last try; `outcome` is a code: what confirming gave
    (`approved`, `late_money`, `already`, `not_paid`, `failed`, `unknown`, `unreachable`),
    `unreadable`, `mismatch`, `lost`, or the name of an error. `copies` counts how often the same
    bytes came. The last three are there once the enrollment is known.
    """

    id: UUID
    provider: ShortText
    received_at: AwareDatetime
    success: bool | None
    code: Line
    link_id: ShortText | None
    external_id: ShortText | None
    copies: Index
    last_at: AwareDatetime
    state: DeliveryState
    outcome: Line
    message: Said
    tries: Index
    replays: Index
    next_try_at: AwareDatetime | None
    settled_at: AwareDatetime | None
    enrollment: UUID | None
    reference: ShortText | None
    student_name: ShortText | None
    course_title: ShortText | None


class WebhookPage(Message):
    """Newest first; `next_after` None on the last page."""

    rows: tuple[WebhookRow, ...]
    next_after: UUID | None = None


class WebhookTry(Message):
    """One try; `n` counts from 1."""

    n: Index
    at: AwareDatetime
    outcome: Line
    message: Said


class WebhookDetail(Message):
    """A callback with its whole history, oldest try first; `body` None where it is not readable."""

    row: WebhookRow
    body: Annotated[str, StringConstraints(max_length=65536)] | None
    tries: tuple[WebhookTry, ...]


class WebhookStanding(Message):
    """Callbacks that wait or are dead letters, and those refused since a day ago."""

    waiting: Index
    dead: Index
    refused: Index


class ReplayWebhooks(Message):
    """These are to be worked on again."""

    deliveries: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=MAX_REPLAYED)]


class WebhooksReplayed(Message):
    """The ledger index of the entry that says so."""

    index: Index


class SecurityAlertRow(Message):
    """Callbacks that were refused within one hour from one address (empty: from many others).

    `many`: too many to be a mistake. `message` is for people.
    """

    id: UUID
    kind: AlertKind
    address: Line
    first_at: AwareDatetime
    last_at: AwareDatetime
    count: Index
    many: bool
    message: Said


class SecurityAlertPage(Message):
    """Newest first."""

    rows: tuple[SecurityAlertRow, ...]
    next_after: UUID | None = None
