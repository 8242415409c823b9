"""Outcomes reach whoever waits, on any loop and in any thread, and nobody else is disturbed."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from core.backend.storage.command import Answer, Outcome
from core.backend.storage.replies import LoopFuture, answer_all
from core.protocol.messages import AnswerKind

OUTCOME = Outcome(Answer(AnswerKind.ACCEPTED, "accepted", "Done."))


def _here() -> LoopFuture:
    loop = asyncio.get_running_loop()
    return LoopFuture(loop, loop.create_future())


async def test_a_batch_wakes_its_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, calls = asyncio.get_running_loop(), list[object]()
    real = loop.call_soon_threadsafe

    def count(*args: object) -> asyncio.Handle:
        calls.append(args)
        return real(*args)  # type: ignore[arg-type]  # handed on

    waiting = [_here() for _ in range(32)]
    monkeypatch.setattr(loop, "call_soon_threadsafe", count)
    await asyncio.to_thread(lambda: answer_all((reply, OUTCOME) for reply in waiting))
    of_answers = [args for args in calls if getattr(args[0], "__name__", "") == "_settle_all"]  # type: ignore[index]  # a tuple
    monkeypatch.undo()
    assert [await reply.future for reply in waiting] == [OUTCOME] * 32
    assert len(of_answers) == 1


async def test_each_gets_its_own_result() -> None:
    thread: Future[Outcome] = Future()
    good, bad, gone = _here(), _here(), _here()
    assert gone.set_running_or_notify_cancel()
    gone.future.cancel()
    assert not gone.set_running_or_notify_cancel()
    error = LookupError("only this one")
    answer_all([(good, OUTCOME), (bad, error), (gone, OUTCOME), (thread, OUTCOME)])
    assert thread.result(0) is OUTCOME
    assert await good.future is OUTCOME
    with pytest.raises(LookupError):
        await bad.future
    assert gone.future.cancelled()


def test_a_loop_that_ended_does_not_disturb_the_others() -> None:
    async def ask() -> LoopFuture:
        return _here()

    ended, thread = asyncio.run(ask()), Future[Outcome]()
    answer_all([(ended, OUTCOME), (thread, OUTCOME)])
    assert thread.result(0) is OUTCOME
    assert not ended.future.done()
