"""`RunQueues`: where nothing is kept, decisions wait in memory as long as the program runs."""

from __future__ import annotations

from core.client.outbox import Outbox
from core.client.sealing import Sealer


class RunQueues:
    """One queue in memory per backend, whoever signs in to it and however often."""

    def __init__(self) -> None:
        self._queues: dict[str, Outbox] = {}

    async def open(self, backend: str, sealer: Sealer) -> Outbox:
        """The queue of this run; do not close it. Raises OutboxError."""
        if backend not in self._queues:
            self._queues[backend] = await Outbox.open(None, sealer)
        return self._queues[backend]

    async def unanswered(self) -> int:
        """How many decisions would be lost if the program ended now. Raises OutboxError."""
        return sum([await queue.unanswered() for queue in self._queues.values()])

    async def close(self) -> None:
        """At the end of the program. Raises OutboxError."""
        while self._queues:
            _, queue = self._queues.popitem()
            await queue.close()
