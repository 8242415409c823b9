"""Single rules of the feed; test_feed_machine.py tries everything together."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from core.protocol.feed import (
    AheadError,
    CheckpointSeen,
    Entry,
    FeedClient,
    FeedError,
    Following,
    GapError,
    OtherEpochError,
    Refuse,
    Resume,
    Snapshot,
    TakeSnapshot,
    answer_hello,
    read_hello,
    snapshot_messages,
)
from core.protocol.messages import (
    MAX_INBOUND_BYTES,
    CheckpointMessage,
    CloseCode,
    EntryMessage,
    Hello,
    Resumed,
    SnapshotBegin,
    SnapshotEnd,
    SnapshotRows,
)
from tests.protocol.build import EPOCH, TOKEN, row

OTHER = UUID(int=0xF)


def following(next_: int = 3) -> FeedClient:
    client = FeedClient(EPOCH, next_)
    client.hello(TOKEN)
    assert give(client, Resumed(epoch=EPOCH, next=next_)) == [Following(next_)]
    return client


def give(client: FeedClient, *messages: BaseModel) -> list[object]:
    return [event for m in messages for event in client.receive(m.model_dump_json())]


def entry(index: int, **fields: object) -> EntryMessage:
    return EntryMessage.model_validate({"index": index, "leaf": f"leaf {index}", **fields})


# --- client ---


def test_hello_says_where_to_go_on() -> None:
    assert FeedClient().hello(TOKEN) == Hello(token=TOKEN, epoch=None, next=None)
    client = following(3)
    give(client, entry(3))
    assert client.hello(TOKEN) == Hello(token=TOKEN, epoch=EPOCH, next=4)


def test_an_index_without_its_ledger_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="epoch"):
        FeedClient(None, 5)


def test_a_snapshot_counts_only_when_it_is_whole() -> None:
    client = FeedClient()
    client.hello(TOKEN)
    begin, rows = SnapshotBegin(epoch=EPOCH, size=9), SnapshotRows(rows=(row(1), row(2)))
    assert give(client, begin, rows) == []
    assert client.next is None
    again = client.hello(TOKEN)
    assert again.next is None
    events = give(client, begin, SnapshotRows(rows=(row(3),)), SnapshotEnd())
    assert events == [Snapshot(9, (row(3),))]
    assert client.next == 9


def test_of_two_rows_in_one_snapshot_the_newer_stays() -> None:
    client = FeedClient()
    client.hello(TOKEN)
    pages = [(row(1, version=4),), (row(1, version=3), row(2))]
    [snapshot] = give(client, *snapshot_messages(TakeSnapshot(EPOCH, 5), pages))
    assert snapshot == Snapshot(5, (row(1, version=4), row(2)))


def test_a_row_is_given_only_if_it_is_newer() -> None:
    client = following(0)
    events = give(
        client,
        entry(0, row=row(1, version=2)),
        entry(1, row=row(1, version=2)),
        entry(2, row=row(1, version=1)),
        entry(3, row=row(1, version=3, waiting=False)),
    )
    given = [event.row.version if event.row else None for event in events]  # type: ignore[attr-defined]  # all are entries
    assert given == [2, None, None, 3]


def test_duplicates_are_dropped_and_a_gap_is_told() -> None:
    client = following(3)
    assert give(client, entry(3)) == [Entry(3, "leaf 3", None)]
    assert give(client, entry(3), entry(0)) == []
    with pytest.raises(GapError):
        give(client, entry(5))
    assert client.next == 4


def test_a_checkpoint_over_entries_not_seen_is_a_gap() -> None:
    client = following(3)
    seen = CheckpointMessage(size=3, note="n")
    assert give(client, seen) == [CheckpointSeen(3, "n")]
    with pytest.raises(GapError):
        give(client, CheckpointMessage(size=4, note="n"))


def test_a_shorter_ledger_and_another_one_are_alarms() -> None:
    client = following(3)
    client.hello(TOKEN)
    with pytest.raises(AheadError):
        give(client, SnapshotBegin(epoch=EPOCH, size=2))
    client.hello(TOKEN)
    with pytest.raises(OtherEpochError):
        give(client, SnapshotBegin(epoch=OTHER, size=100))
    client.hello(TOKEN)
    with pytest.raises(OtherEpochError):
        give(client, Resumed(epoch=OTHER, next=3))


@pytest.mark.parametrize(
    "message",
    [entry(0), SnapshotRows(rows=()), SnapshotEnd(), Resumed(epoch=EPOCH, next=1)],
    ids=["entry", "rows", "end", "resumed elsewhere"],
)
def test_a_connection_begins_as_asked(message: BaseModel) -> None:
    client = FeedClient(EPOCH, 3)
    client.hello(TOKEN)
    with pytest.raises(FeedError):
        give(client, message)


def test_nothing_comes_between_the_rows_of_a_snapshot_and_it_comes_once() -> None:
    client = FeedClient()
    client.hello(TOKEN)
    give(client, SnapshotBegin(epoch=EPOCH, size=0))
    with pytest.raises(FeedError):
        give(client, entry(0))
    give(client, SnapshotEnd())
    with pytest.raises(FeedError):
        give(client, SnapshotEnd())


@given(st.text(max_size=50) | st.binary(max_size=50) | st.sampled_from(["{}", '{"type":"x"}']))
def test_junk_is_a_feed_error(junk: str | bytes) -> None:
    client = following()
    with pytest.raises(FeedError):
        client.receive(junk)
    with pytest.raises(FeedError):
        read_hello(junk)


# --- server ---


@pytest.mark.parametrize(
    ("epoch", "next_", "expected"),
    [
        (None, None, TakeSnapshot(EPOCH, 50)),
        (EPOCH, None, TakeSnapshot(EPOCH, 50)),
        (EPOCH, 0, TakeSnapshot(EPOCH, 50)),
        (EPOCH, 39, TakeSnapshot(EPOCH, 50)),
        (EPOCH, 40, Resume(EPOCH, 40)),
        (EPOCH, 50, Resume(EPOCH, 50)),
        (EPOCH, 51, Refuse(CloseCode.AHEAD)),
        (OTHER, None, Refuse(CloseCode.OTHER_EPOCH)),
        (OTHER, 51, Refuse(CloseCode.OTHER_EPOCH)),
        (None, 50, Refuse(CloseCode.BAD_MESSAGE)),
    ],
)
def test_how_a_hello_is_answered(epoch: UUID | None, next_: int | None, expected: object) -> None:
    hello = Hello(token=TOKEN, epoch=epoch, next=next_)
    assert answer_hello(hello, epoch=EPOCH, size=50, max_behind=10) == expected


def test_a_hello_is_read_and_a_long_one_refused() -> None:
    hello = Hello(token=TOKEN, epoch=EPOCH, next=3)
    assert read_hello(hello.model_dump_json()) == hello
    with pytest.raises(FeedError, match="long"):
        read_hello("{" + " " * MAX_INBOUND_BYTES)
