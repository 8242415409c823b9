"""Lasting objects are left out of later looks for garbage; what is garbage is still found."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from console.runtime import garbage


class Knot:
    """Refers to itself: only a look for garbage finds it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_was_there_is_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    garbage.settle()
    assert gc.get_freeze_count() > before


def test_bulk_makes_no_pause_and_keeps_what_it_made_out_of_later_looks() -> None:
    looks: list[str] = []
    callback = lambda phase, _: looks.append(phase)  # noqa: E731 - removed again by identity
    with garbage.bulk():
        before = gc.get_freeze_count()
        gc.callbacks.append(callback)
        made = [[number] for number in range(50_000)]
        gc.callbacks.remove(callback)
    assert looks == []
    assert gc.isenabled()
    assert gc.get_freeze_count() - before >= len(made)


def test_bulk_inside_bulk_ends_with_the_outer_one() -> None:
    with garbage.bulk():
        with garbage.bulk():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_garbage_from_before_and_after_is_still_found() -> None:
    early = weakref.ref(Knot())
    with garbage.bulk():
        pass
    late = weakref.ref(Knot())
    gc.collect()
    assert early() is None
    assert late() is None
