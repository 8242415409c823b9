"""When and where Python looks for garbage: a look through everything stops the window for 0.1 s and
more, and one from a worker's thread that frees parts of a window brings the whole program down.

Almost nothing of ours is garbage in cycles, and what is, is young.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 1_000


def settle() -> None:
    """All that was loaded so far stays for good: no later look goes through it again."""
    gc.collect()
    gc.freeze()


def look_from_here(parent: QObject) -> None:
    """From now on only this thread looks, every second, as long as `parent` lives."""
    gc.disable()
    timer = QTimer(parent)
    timer.setInterval(EVERY_MS)
    timer.timeout.connect(look)
    timer.start()


def look() -> None:
    """Look where Python by itself would look by now, if it may."""
    counts = gc.get_count()
    if counts[0] > _LIMITS[0]:
        gc.collect(max(g for g in range(len(counts)) if counts[g] > _LIMITS[g]))


@contextmanager
def bulk() -> Iterator[None]:
    """Very many lasting objects are made inside: Python would look through them again and again
    while they become more, which takes longer than making them."""
    looks_by_itself = gc.isenabled()
    gc.collect(1)  # what is garbage by now must not be kept with the rest
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if looks_by_itself:
            gc.enable()


# How many objects, looks at the young, and looks at the middle-aged it takes.
_LIMITS = (700, 10, 10)
