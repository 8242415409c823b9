"""Ctrl+C (SIGINT) and SIGTERM: the first one ends a run after its clean-up, the next one at once.

KeyboardInterrupt is kept away: raised inside a slot or a timer, Qt's side of the call swallows it,
and with it a step of the event loop, which then never ends. What is ignored at the start stays
ignored: whatever a script starts in the background is not meant by a Ctrl+C to something else.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | int | None

_ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def end_at_once() -> Iterator[None]:
    """While there is nothing to clean up: a signal ends the process, also inside native code."""
    with _handled_by(signal.SIG_DFL):
        yield


@contextmanager
def end_when_asked(ask: Callable[[], object]) -> Iterator[None]:
    """While a loop runs: the first signal calls `ask`, between two instructions of Python's own;
    the next one ends the process, without a word to anybody.
    """

    def asked(_number: int, _frame: FrameType | None) -> None:
        _handle(signal.SIG_DFL)
        ask()

    with _handled_by(asked):
        yield


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    before = _handle(handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _handle(handler: Handler) -> dict[signal.Signals, Handler]:
    """Hand those signals that are not ignored to `handler`; who had them before."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    heard = {number: old for number, old in before.items() if old is not signal.SIG_IGN}
    for number in heard:
        signal.signal(number, handler)
    return heard
