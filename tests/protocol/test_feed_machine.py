"""Both ends of the feed against a network that cuts, loses, repeats and reorders.

Whatever happens, a client gets every entry once and in order, and its rows end as the backend's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic import BaseModel

from core.protocol.feed import (
    CheckpointSeen,
    Entry,
    FeedClient,
    FeedError,
    Following,
    Refuse,
    Resume,
    Snapshot,
    answer_hello,
    read_hello,
    snapshot_messages,
)
from core.protocol.messages import CheckpointMessage, EnrollmentRow, EntryMessage
from tests.protocol.build import EPOCH, TOKEN, row

MAX_BEHIND = 6
PAGE = 2


class Backend:
    """A ledger in memory. Each entry changes one enrollment, or none."""

    def __init__(self) -> None:
        self.subjects: list[int | None] = []
        self.as_written: list[EntryMessage] = []
        self.rows: dict[int, EnrollmentRow] = {}

    @property
    def size(self) -> int:
        return len(self.subjects)

    def write(self, subject: int | None, *, waiting: bool) -> None:
        if subject is not None:
            held = self.rows.get(subject)
            version = held.version + 1 if held else 1
            self.rows[subject] = row(subject, version=version, waiting=waiting)
        self.subjects.append(subject)
        self.as_written.append(self.read(self.size - 1))

    def read(self, index: int) -> EntryMessage:
        """An entry with the row as it is now, which may be newer."""
        subject = self.subjects[index]
        current = None if subject is None else self.rows[subject]
        return EntryMessage(index=index, leaf=f"leaf {index}", row=current)

    def pending_pages(self) -> Iterator[tuple[EnrollmentRow, ...]]:
        """By key, each page read only when it is asked for."""
        last = 0
        while True:
            waiting = sorted(n for n, held in self.rows.items() if n > last and held.waiting)
            if not waiting:
                return
            yield tuple(self.rows[n] for n in waiting[:PAGE])
            last = waiting[:PAGE][-1]

    def serve(self, hello_text: str) -> Iterator[BaseModel | None]:
        """What one connection gets; None while there is nothing new."""
        opening = answer_hello(
            read_hello(hello_text), epoch=EPOCH, size=self.size, max_behind=MAX_BEHIND
        )
        assert not isinstance(opening, Refuse)
        if isinstance(opening, Resume):
            yield opening.opening
            position = opening.next
        else:
            yield from snapshot_messages(opening, self.pending_pages())
            position = opening.size
        signed = position
        while True:
            if position < self.size:
                # The live tail was serialised when it was written, catch-up is read now.
                live = position % 2 == 0
                yield self.as_written[position] if live else self.read(position)
                position += 1
            elif signed < position:
                signed = position
                yield CheckpointMessage(size=position, note=f"note {position}")
            else:
                yield None


class Feed(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.backend = Backend()
        self.client = FeedClient()
        self.stream: Iterator[BaseModel | None] | None = None
        self.wire: deque[str] = deque()
        self.entries: list[int] = []
        self.jumped_to = 0
        self.rows: dict[int, EnrollmentRow] = {}

    # --- what happens ---

    @rule(subject=st.none() | st.integers(1, 7), waiting=st.booleans())
    def write(self, subject: int | None, waiting: bool) -> None:
        self.backend.write(subject, waiting=waiting)

    @rule()
    def connect(self) -> None:
        """Again, whether or not the last connection had ended: what was on its way is lost."""
        self.wire.clear()
        self.stream = self.backend.serve(self.client.hello(TOKEN).model_dump_json())

    @precondition(lambda self: self.stream is not None)
    @rule(count=st.integers(1, 5))
    def send(self, count: int) -> None:
        for _ in range(count):
            assert self.stream is not None
            message = next(self.stream)
            if message is not None:
                self.wire.append(message.model_dump_json())

    @precondition(lambda self: self.wire)
    @rule(count=st.integers(1, 8))
    def arrive(self, count: int) -> None:
        for _ in range(count):
            if self.wire:  # a gap cuts the connection
                self.receive(self.wire.popleft())

    # A socket keeps its order and loses nothing but its end; a backend's queue could do worse.

    def queued(self) -> list[int]:
        """Where entries and checkpoints are on the wire."""
        return [
            place
            for place, text in enumerate(self.wire)
            if text.startswith(('{"type":"entry"', '{"type":"checkpoint"'))
        ]

    @precondition(lambda self: self.queued())
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        self.wire.append(self.wire[data.draw(st.sampled_from(self.queued()))])

    @precondition(lambda self: self.queued())
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        del self.wire[data.draw(st.sampled_from(self.queued()))]

    @precondition(lambda self: len(self.queued()) > 1)
    @rule(data=st.data())
    def reorder(self, data: st.DataObject) -> None:
        one, other = (data.draw(st.sampled_from(self.queued())) for _ in range(2))
        self.wire[one], self.wire[other] = self.wire[other], self.wire[one]

    @rule()
    def cut(self) -> None:
        self.stream = None
        self.wire.clear()

    # --- what a client does with it ---

    def receive(self, text: str) -> None:
        try:
            events = self.client.receive(text)
        except FeedError:
            self.cut()
            return
        for event in events:
            match event:
                case Snapshot(size, rows):
                    self.jumped_to = size
                    self.entries = []
                    self.rows = {held.enrollment.int: held for held in rows}
                case Entry(index, leaf, changed):
                    assert leaf == f"leaf {index}"
                    self.entries.append(index)
                    self.apply(changed)
                case CheckpointSeen(size, _):
                    assert size <= self.jumped_to + len(self.entries)
                case Following(next_):
                    assert next_ == self.client.next

    def apply(self, changed: EnrollmentRow | None) -> None:
        if changed is None:
            return
        held = self.rows.get(changed.enrollment.int)
        assert held is None or held.version < changed.version
        self.rows[changed.enrollment.int] = changed

    # --- what must hold ---

    @invariant()
    def every_entry_came_once_and_in_order(self) -> None:
        until = self.jumped_to + len(self.entries)
        assert self.entries == list(range(self.jumped_to, until))
        if self.client.next is not None:
            assert self.client.next == until <= self.backend.size

    def teardown(self) -> None:
        """A good network at last: the client must end where the backend is."""
        self.connect()
        while self.stream is not None and (message := next(self.stream)) is not None:
            self.receive(message.model_dump_json())
        assert self.client.next == self.backend.size
        expected = {n: held for n, held in self.backend.rows.items() if held.waiting}
        assert {n: held for n, held in self.rows.items() if held.waiting} == expected


Feed.TestCase.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
TestFeed = Feed.TestCase
