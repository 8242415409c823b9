"""The live feed: the console's hello, what the backend sends, why it closes."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from core.protocol.messages.enrollments import EnrollmentRow
from core.protocol.messages.fields import Base64, Index, Message, Secret


class Hello(Message):
    """`next` is the first index the console lacks; None asks for a snapshot."""

    type: Literal["hello"] = "hello"
    token: Secret
    epoch: UUID | None = None
    next: Index | None = None


class Resumed(Message):
    type: Literal["resumed"] = "resumed"
    epoch: UUID
    next: Index


class SnapshotBegin(Message):
    """The rows that follow stand for the ledger at `size`; entries from `size` on come after.

    `peaks` (base64) are the tree's at `size`. Nobody signed them: a console believes them only
    when they lead to the root of a signed checkpoint.
    """

    type: Literal["snapshot"] = "snapshot"
    epoch: UUID
    size: Index
    peaks: Annotated[tuple[Base64, ...], Field(max_length=64)] = ()


class SnapshotRows(Message):
    type: Literal["rows"] = "rows"
    rows: tuple[EnrollmentRow, ...]


class SnapshotEnd(Message):
    type: Literal["snapshot_end"] = "snapshot_end"


class EntryMessage(Message):
    """One ledger entry. `row` is the enrollment now, perhaps newer than the entry."""

    type: Literal["entry"] = "entry"
    index: Index
    leaf: Annotated[str, StringConstraints(max_length=65536)]
    row: EnrollmentRow | None = None


class CheckpointMessage(Message):
    """A signed checkpoint over the entries sent before it, never over later ones."""

    type: Literal["checkpoint"] = "checkpoint"
    size: Index
    note: Annotated[str, StringConstraints(max_length=4096)]


ServerMessage = Annotated[
    Resumed | SnapshotBegin | SnapshotRows | SnapshotEnd | EntryMessage | CheckpointMessage,
    Field(discriminator="type"),
]


class CloseCode:
    """Why the backend closed a live connection; the console acts on each differently."""

    BAD_MESSAGE = 4400
    SIGN_IN_NEEDED = 4401
    NOT_ALLOWED = 4403
    NO_HELLO = 4408
    AHEAD = 4409  # the console knows more entries than the ledger holds: an alarm
    OTHER_EPOCH = 4410  # another ledger: an alarm
    TOO_SLOW = 4429
    GOING_AWAY = 1001
    # Said by the server beneath, over `MAX_INBOUND_BYTES`: nothing of ours has seen the message.
    TOO_LARGE = 1009
    UNEXPECTED = 1011  # a bug on our side: resume
