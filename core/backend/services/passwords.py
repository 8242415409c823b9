"""Argon2id, off the event loop, with the same work for a person who does not exist."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


@dataclass(frozen=True, slots=True)
class Argon2Profile:
    """The defaults are RFC 9106's second choice; tests take a cheap one."""

    time_cost: int = 3
    memory_kib: int = 64 * 1024
    parallelism: int = 4


class Passwords:
    """Hashing blocks for a good while: it has threads of its own, few of them."""

    def __init__(self, profile: Argon2Profile, threads: ThreadPoolExecutor) -> None:
        self._hasher = PasswordHasher(
            time_cost=profile.time_cost,
            memory_cost=profile.memory_kib,
            parallelism=profile.parallelism,
        )
        self._threads = threads
        # What an unknown person's password is compared with.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._hasher.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether the password is right; never for `stored` None, but with the same work."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._verify, password, stored)

    def _verify(self, password: str, stored: str | None) -> bool:
        try:
            self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None
