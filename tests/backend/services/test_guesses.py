"""The delay after wrong guesses: free at first, doubling, bounded, forgotten."""

from __future__ import annotations

import pytest

from core.backend.services import guesses
from core.backend.services.errors import TooManyGuessesError
from core.backend.services.guesses import GuessLimiter
from tests.support.workspace import Clock


def _wait(limiter: GuessLimiter, key: str = "k") -> int:
    with pytest.raises(TooManyGuessesError) as caught:
        limiter.attempt(key, free=3)
    return caught.value.retry_after


def test_the_delay_doubles_up_to_five_minutes() -> None:
    clock = Clock()
    limiter = GuessLimiter(clock=clock)
    for _ in range(3):
        limiter.attempt("k", free=3)
    waits = []
    for _ in range(11):
        waits.append(_wait(limiter))
        clock.advance(seconds=waits[-1])
        limiter.attempt("k", free=3)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_keys_do_not_disturb_each_other_and_success_clears() -> None:
    limiter = GuessLimiter(clock=Clock())
    for _ in range(3):
        limiter.attempt("k", free=3)
    limiter.attempt("other", free=3)
    _wait(limiter)
    limiter.succeeded("k")
    limiter.attempt("k", free=3)


def test_an_hour_later_it_is_forgotten() -> None:
    clock = Clock()
    limiter = GuessLimiter(clock=clock)
    for _ in range(3):
        limiter.attempt("k", free=3)
    clock.advance(hours=1, seconds=1)
    for _ in range(3):
        limiter.attempt("k", free=3)
    _wait(limiter)


def test_a_clock_that_was_set_back_makes_nobody_wait_for_it() -> None:
    clock = Clock()
    limiter = GuessLimiter(clock=clock)
    limiter.attempt("few", free=3)
    for _ in range(3):
        limiter.attempt("k", free=3)
    clock.advance(days=-40)
    limiter.attempt("few", free=3)
    assert _wait(limiter) == 1
    clock.advance(seconds=1)
    limiter.attempt("k", free=3)


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guesses, "MAX_KEYS", 10)
    limiter = GuessLimiter(clock=Clock())
    for number in range(100):
        limiter.attempt(str(number), free=3)
    assert len(limiter._tries) == 10


def test_a_try_that_has_to_wait_counts_for_no_key() -> None:
    """Or a blocked address could lock accounts, and flush the memory that blocks it."""
    limiter = GuessLimiter(clock=Clock())
    for number in range(3):
        limiter.attempt_all({f"account {number}": 5, "address": 3})
    for number in range(100):
        with pytest.raises(TooManyGuessesError):
            limiter.attempt_all({f"victim {number}": 5, "address": 3})
    assert len(limiter._tries) == 4


def test_a_right_guess_does_not_wipe_out_the_wrong_ones_of_its_address() -> None:
    """Or one account of one's own would pay for any number of guesses at others."""
    limiter = GuessLimiter(clock=Clock())
    for number in range(10):
        limiter.attempt_all({"own": 5, "address": 20})
        limiter.succeeded("own")
        limiter.take_back("address")
        limiter.attempt_all({f"victim {number}": 5, "address": 20})
    for number in range(10, 20):
        limiter.attempt_all({f"victim {number}": 5, "address": 20})
    with pytest.raises(TooManyGuessesError):
        limiter.attempt_all({"next victim": 5, "address": 20})
    limiter.take_back("nobody")
