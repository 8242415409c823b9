"""Which build of the product runs: the real one, or one that is broken on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from core.backend.services.access import CourseAccessController
from core.backend.services.deciders import decide
from core.backend.storage.batch import run_batch
from core.backend.storage.command import Command, Context, Outcome, Verdict
from core.backend.storage.workspace import Workspace
from core.client.confirming import Confirmer
from core.client.outbox import Outbox, OutboxItem
from core.protocol.feed import FeedClient
from core.protocol.messages import DecisionAnswers

if TYPE_CHECKING:
    from tests.simulator.console import Console


class Build:
    """The product as it is. `sabotage.py` overrides one of these places at a time."""

    outbox: type[Outbox] = Outbox
    confirmer: type[Confirmer] = Confirmer
    access: type[CourseAccessController] = CourseAccessController
    feed_client: type[FeedClient] = FeedClient

    def decide(self, workspace: Workspace, command: Command, context: Context) -> Verdict:
        return decide(workspace, command, context)

    def run_batch(
        self, connection: Connection, commands: Sequence[Command], context: Context
    ) -> tuple[list[Outcome], int]:
        return run_batch(connection, commands, decide=self.decide, context=context)

    def answers(self, answers: DecisionAnswers) -> DecisionAnswers:
        """What the backend answers to a batch of decisions."""
        return answers

    def feed_message(self, text: str) -> str | None:
        """What a node says on a feed; None says nothing."""
        return text

    async def discard(self, console: Console, item: OutboxItem) -> None:
        """How a console takes a waiting decision back."""
        await console.withdraw(item)

    def tamper(self, database: Path) -> None:
        """What somebody at the backend's machine does to the database at the end of the storm."""
