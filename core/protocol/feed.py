"""The feed as two pure state machines: texts in, events out; no sockets, no clock.

FeedError
├── GapError         entries are missing: close, and resume from `FeedClient.next`
├── AheadError       the ledger is shorter than what this client has already seen: an alarm
└── OtherEpochError  another ledger than the one this client knows: an alarm

Any other FeedError is a message that cannot be what a backend sends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from core.protocol.messages import (
    MAX_INBOUND_BYTES,
    CheckpointMessage,
    CloseCode,
    EnrollmentRow,
    EntryMessage,
    Hello,
    Resumed,
    ServerMessage,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotRows,
)

MAX_BEHIND = 10_000
_SERVER_MESSAGE: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


class FeedError(Exception):
    """The other side sent what it never may."""


class GapError(FeedError):
    """Entries are missing between what was seen and what came."""


class AheadError(FeedError):
    """The ledger ends before an entry that this client has seen."""


class OtherEpochError(FeedError):
    """The backend answers for another ledger."""


# --- console -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Snapshot:
    """These rows stand for the ledger at `size` and replace everything held before.

    `peaks` (base64, unsigned) are the tree's at that size; empty if the backend did not say.
    """

    size: int
    rows: tuple[EnrollmentRow, ...]
    peaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Following:
    """The feed goes on where it was cut; nothing was missed."""

    next: int


@dataclass(frozen=True, slots=True)
class Entry:
    """The ledger entry at `index`; each comes once, in order.

    `leaf` is its exact text. `row` is None where the entry brings no row, or none that is newer.
    """

    index: int
    leaf: str
    row: EnrollmentRow | None


@dataclass(frozen=True, slots=True)
class CheckpointSeen:
    """A signed checkpoint (not checked here) over the first `size` entries."""

    size: int
    note: str


FeedEvent: TypeAlias = Snapshot | Following | Entry | CheckpointSeen


class _Phase(Enum):
    OPENING = auto()
    SNAPSHOT = auto()
    FOLLOWING = auto()


class FeedClient:
    """A console's side over any number of connections: `hello` starts each of them.

    `next` is the first index that is lacking; None asks for a snapshot. Nothing of a snapshot
    counts before its end, so a cut in the middle loses nothing.
    """

    def __init__(self, epoch: UUID | None = None, next: int | None = None) -> None:  # noqa: A002 - the wire's name
        if epoch is None and next is not None:
            raise ValueError("an index says nothing without the ledger's epoch")
        self.epoch = epoch
        self.next = next
        self._phase = _Phase.OPENING
        self._versions: dict[UUID, int] = {}
        self._begun: SnapshotBegin | None = None
        self._rows: dict[UUID, EnrollmentRow] = {}

    def hello(self, token: str) -> Hello:
        """The first message of a new connection."""
        self._phase = _Phase.OPENING
        self._rows = {}
        return Hello(token=token, epoch=self.epoch, next=self.next)

    def receive(self, text: str | bytes) -> list[FeedEvent]:
        """What one message means. Raises FeedError; then close, and say hello again."""
        try:
            message = _SERVER_MESSAGE.validate_json(text)
        except ValidationError as error:
            raise FeedError("a message is not one of the feed") from error
        match self._phase:
            case _Phase.OPENING:
                return self._open(message)
            case _Phase.SNAPSHOT:
                return self._snapshot(message)
            case _Phase.FOLLOWING:
                return self._follow(message)

    def _open(self, message: ServerMessage) -> list[FeedEvent]:
        if not isinstance(message, Resumed | SnapshotBegin):
            raise FeedError("a connection must begin with resumed or snapshot")
        if self.epoch not in {None, message.epoch}:
            raise OtherEpochError("the backend answers for another ledger")
        if isinstance(message, SnapshotBegin):
            if message.size < (self.next or 0):
                raise AheadError("the ledger is shorter than it was")
            self._phase, self._begun, self._rows = _Phase.SNAPSHOT, message, {}
            self.epoch = message.epoch
            return []
        if message.next != self.next:
            raise FeedError("the backend resumes where nobody asked it to")
        self._phase = _Phase.FOLLOWING
        return [Following(message.next)]

    def _snapshot(self, message: ServerMessage) -> list[FeedEvent]:
        if isinstance(message, SnapshotRows):
            for row in message.rows:
                held = self._rows.get(row.enrollment)
                if held is None or row.version > held.version:
                    self._rows[row.enrollment] = row
            return []
        if not isinstance(message, SnapshotEnd) or self._begun is None:
            raise FeedError("a snapshot is interrupted by something else")
        rows, self._rows = self._rows, {}
        self._versions = {enrollment: row.version for enrollment, row in rows.items()}
        begun, self._begun = self._begun, None
        self._phase, self.next = _Phase.FOLLOWING, begun.size
        return [Snapshot(begun.size, tuple(rows.values()), begun.peaks)]

    def _follow(self, message: ServerMessage) -> list[FeedEvent]:
        expected = self.next or 0
        if isinstance(message, EntryMessage):
            if message.index < expected:
                return []  # a duplicate; its row came with it the first time
            if message.index > expected:
                raise GapError(f"entry {expected} is missing before {message.index}")
            self.next = expected + 1
            return [Entry(message.index, message.leaf, self._newer(message.row))]
        if isinstance(message, CheckpointMessage):
            if message.size > expected:
                raise GapError(f"entry {expected} is missing before a checkpoint")
            return [CheckpointSeen(message.size, message.note)]
        raise FeedError("a connection begins twice")

    def _newer(self, row: EnrollmentRow | None) -> EnrollmentRow | None:
        if row is None or row.version <= self._versions.get(row.enrollment, -1):
            return None
        self._versions[row.enrollment] = row.version
        return row


# --- backend -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resume:
    """Send `opening`, then the entries from `next` on."""

    epoch: UUID
    next: int

    @property
    def opening(self) -> Resumed:
        return Resumed(epoch=self.epoch, next=self.next)


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Send `snapshot_messages` with rows read after `size` was, then the entries from `size` on."""

    epoch: UUID
    size: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """Close with this code of `CloseCode`."""

    code: int


Opening: TypeAlias = Resume | TakeSnapshot | Refuse


def read_hello(text: str | bytes) -> Hello:
    """The first message of a console. Raises FeedError for junk and for anything too long."""
    if len(text) > MAX_INBOUND_BYTES:
        raise FeedError("the first message is too long")
    try:
        return Hello.model_validate_json(text)
    except ValidationError as error:
        raise FeedError("the first message is not a hello") from error


def answer_hello(hello: Hello, *, epoch: UUID, size: int, max_behind: int = MAX_BEHIND) -> Opening:
    """How the backend whose ledger has `size` entries answers.

    Whoever knows another ledger, or more of this one than there is, is refused: that is an alarm
    on the console, and a fresh snapshot would hide it.
    """
    if hello.epoch not in {None, epoch}:
        return Refuse(CloseCode.OTHER_EPOCH)
    if hello.next is None:
        return TakeSnapshot(epoch, size)
    if hello.epoch is None:
        return Refuse(CloseCode.BAD_MESSAGE)
    if hello.next > size:
        return Refuse(CloseCode.AHEAD)
    if size - hello.next > max_behind:
        return TakeSnapshot(epoch, size)
    return Resume(epoch, hello.next)


def snapshot_messages(
    opening: TakeSnapshot,
    pages: Iterable[tuple[EnrollmentRow, ...]],
    peaks: tuple[str, ...] = (),
) -> Iterable[SnapshotBegin | SnapshotRows | SnapshotEnd]:
    """The messages of a snapshot, one page of rows at a time, lazily."""
    yield SnapshotBegin(epoch=opening.epoch, size=opening.size, peaks=peaks)
    for rows in pages:
        yield SnapshotRows(rows=rows)
    yield SnapshotEnd()
