"""What an officer's click needs before it is signed, told in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.client.errors import DecisionError, OutboxError
from core.client.outbox import Outbox
from core.domain.decisions import ReasonCode, Verdict
from tests.client.build import Clock, decider, device_key
from tests.client.queueing import SEALER, edit
from tests.protocol.build import row

_LARGEST = 2**53 - 1


@pytest.mark.parametrize("note", ["Half\x00of it came", "Half \ud800 of it came"])
async def test_a_note_that_cannot_be_kept_is_told_without_its_words(
    outbox: Outbox, clock: Clock, note: str
) -> None:
    with pytest.raises(DecisionError, match="broken character") as told:
        await decider(outbox, clock).decide(
            row(), Verdict.REJECT, reason=ReasonCode.OTHER, note=note
        )
    assert told.value.__cause__ is None
    assert "Half" not in str(told.value)


@pytest.mark.parametrize("counter", [_LARGEST - 1, _LARGEST, _LARGEST + 1, -1])
async def test_a_counter_that_was_edited_ends_no_deciding(
    tmp_path: Path, clock: Clock, counter: int
) -> None:
    path, device = tmp_path / "o.db", device_key()
    await (await Outbox.open(path, SEALER, clock)).close()
    edit(path, "INSERT INTO counters VALUES (?, ?)", str(device.id), counter)
    outbox = await Outbox.open(path, SEALER, clock)
    await outbox.learn_next_n(device.id, 40)  # as at the start of each run
    made = [await decider(outbox, clock).decide(row(n), Verdict.APPROVE) for n in (1, 2, 3)]
    assert [item.n for item in made] == [40, 41, 42]
    await outbox.close()


async def test_numbers_that_are_used_up_are_told(tmp_path: Path, clock: Clock) -> None:
    """What an older console could still sign with an edited counter."""
    path, device = tmp_path / "o.db", device_key()
    outbox = await Outbox.open(path, SEALER, clock)
    await decider(outbox, clock).decide(row(1), Verdict.APPROVE)
    worker, table = outbox._worker, outbox._file._table
    sql = "UPDATE items SET n = ?"
    worker.submit(lambda: table._db.execute(sql, (_LARGEST,))).result()
    with pytest.raises(OutboxError, match="used up its numbers"):
        await decider(outbox, clock, device).decide(row(2), Verdict.APPROVE)
    await outbox.close()
