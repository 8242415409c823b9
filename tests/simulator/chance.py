"""All that is random in a world, from its seed: each part draws from a source of its own, so that
what one part does more often changes nothing for the others."""

from __future__ import annotations

import random
from hashlib import sha256
from uuid import UUID

_MILLISECONDS = 1_700_000_000_000


class Chance(random.Random):
    """A source of its own for each `name` in the world of `seed`."""

    def __init__(self, seed: int, name: str) -> None:
        super().__init__(int.from_bytes(sha256(f"{seed}/{name}".encode()).digest()[:16]))

    def happens(self, probability: float) -> bool:
        return self.random() < probability


class Ids:
    """Ids in the form of UUIDv7, in order, different for each source."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._count = 0

    def __call__(self) -> UUID:
        self._count += 1
        stamp = (_MILLISECONDS + self._count) << 80
        version = 0x7 << 76
        variant = 0x2 << 62
        rest = self._chance.getrandbits(62)
        return UUID(int=stamp | version | self._chance.getrandbits(12) << 64 | variant | rest)
