"""When Python looks for garbage: a look through everything stops the window for 0.1 s and more.

Almost nothing of ours is garbage in cycles, and what is, is young.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def settle() -> None:
    """All that was loaded so far stays for good: no later look goes through it again."""
    gc.collect()
    gc.freeze()


@contextmanager
def bulk() -> Iterator[None]:
    """Very many lasting objects are made inside: Python would look through them again and again
    while they become more, which takes longer than making them."""
    if not gc.isenabled():
        yield
        return
    gc.collect(1)  # what is garbage by now must not be kept with the rest
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
