"""When a callback is tried again."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.domain.webhooks import MAX_TRIES, RETRY_DELAYS, retry_after


@given(st.integers(1, MAX_TRIES - 1), st.floats(0, 1))
def test_each_delay_is_spread_by_a_fifth(tries: int, chance: float) -> None:
    delay = retry_after(tries, chance)
    assert delay is not None
    plain = RETRY_DELAYS[tries - 1]
    assert plain * 0.799 <= delay <= plain * 1.201


def test_the_delays_grow_and_end() -> None:
    delays = [retry_after(tries, 0.5) for tries in range(1, MAX_TRIES)]
    assert delays == list(RETRY_DELAYS)
    assert all(after > before * 2 for before, after in pairwise(RETRY_DELAYS))
    # However the jitter falls, the next one is longer.
    assert all(
        (retry_after(n + 1, 0) or timedelta()) > (retry_after(n, 1) or timedelta())
        for n in range(1, MAX_TRIES - 1)
    )
    assert retry_after(MAX_TRIES, 0.5) is None
    assert retry_after(MAX_TRIES + 5, 0.5) is None
    assert retry_after(0, 0.5) == RETRY_DELAYS[0]
