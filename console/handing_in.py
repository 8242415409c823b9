"""What a disabled officer still held on this computer is handed in, and ends refused."""

from __future__ import annotations

from uuid import UUID

from console.words import counted
from core.client.outbox import FINAL_STATES, Outbox, OutboxItem, OutboxState
from core.client.sender import DecisionApi, Sender


async def hand_in(api: DecisionApi, outbox: Outbox, *, officer: UUID, device: UUID) -> str:
    """Send all that waits; in words what became of it, nothing where nothing waited.

    What cannot be sent now stays, for the next start. Raises OutboxError.
    """
    ended: dict[UUID, OutboxItem] = {}
    sender = Sender(
        api=api,
        outbox=outbox,
        officer=officer,
        device=device,
        on_results=lambda items: ended.update({item.id: item for item in items}),
        on_state=lambda _: None,
    )
    await outbox.sweep()
    while await sender.send_due():
        pass
    done = [item for item in ended.values() if item.state in FINAL_STATES]
    waiting = len(await outbox.waiting_for(officer))
    return " ".join(_told(done, waiting))


def _told(done: list[OutboxItem], waiting: int) -> list[str]:
    carried_out = sum(item.state is OutboxState.ACCEPTED for item in done)
    refused = len(done) - carried_out
    words = []
    if refused:
        were = "was" if refused == 1 else "were"
        words.append(f"{_decisions(refused)} that waited on this computer {were} refused.")
    if carried_out:
        words.append(f"{_decisions(carried_out)} had been carried out before.")
    if waiting:
        words.append(f"{_decisions(waiting)} could not be handed in yet.")
    return words


def _decisions(count: int) -> str:
    return counted(count, "decision", "decisions")
