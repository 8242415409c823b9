"""Bursts become few runs, and the last call is never lost. The clock and the timer are ours."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from console.runtime.throttle import Throttle
from tests.console.clockwork import Time


def made(time: Time, runs: list[int]) -> Throttle:
    return Throttle(
        lambda: runs.append(time.now), interval_ms=100, clock=time.clock, later=time.later
    )


def test_the_first_call_runs_at_once_and_a_burst_once_more() -> None:
    time, runs = Time(), list[int]()
    throttle = made(time, runs)
    for _ in range(50):
        throttle()
    assert runs == [0]
    time.pass_to(1_000)
    assert runs == [0, 100]
    throttle()
    assert runs == [0, 100, 1_000]


@given(st.lists(st.integers(0, 250), max_size=40))
def test_never_more_often_than_the_interval_and_never_without_the_last(gaps: list[int]) -> None:
    time, runs = Time(), list[int]()
    throttle = made(time, runs)
    last = None
    for gap in gaps:
        time.pass_to(time.now + gap)
        throttle()
        last = time.now
    time.pass_to(time.now + 1_000)
    assert all(after - before >= 100 for before, after in pairwise(runs))
    if last is not None:
        assert runs[-1] >= last
    assert not time.due
