"""What became of each decision, as its officer's console shows it at the end, and what of that
must hold. Each check gives None, or what is wrong."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from uuid import UUID

from core.client.errors import OutboxError
from core.client.outbox import WAITING_STATES, OutboxItem, OutboxState
from tests.simulator.book import Made
from tests.simulator.console import Console
from tests.simulator.truth import Truth
from tests.simulator.world import World

_UNDONE = frozenset({OutboxState.CONFLICT, OutboxState.REFUSED, OutboxState.WITHDRAWN})
# The one thing that the storm does after which a person has to say what is to be.
WITHDRAWAL_LOST = "withdrawal_lost"


@dataclass(frozen=True)
class Outcome:
    """`item` is None where the queue does not hold the decision (any more); `withdrawal` is the
    one of it that the officer can see. `is_shut_out`: the officer may not sign in, and reads it."""

    made: Made
    item: OutboxItem | None
    withdrawal: OutboxItem | None
    is_shut_out: bool
    is_excused: bool

    @property
    def where(self) -> str:
        return f"decision n={self.made.n} of console {self.made.officer}"


async def read_outcomes(world: World) -> list[Outcome]:
    """Of every decision that an officer was told is kept."""
    withdrawals: dict[UUID | None, OutboxItem] = {}
    for console in world.consoles:
        if console is not None:
            await console.read_notices()
            withdrawals |= {item.withdraws: item for item in await _all_items(console)}
    return [
        Outcome(
            made=made,
            item=await _item(world.consoles[made.officer], made),
            withdrawal=withdrawals.get(made.id),
            is_shut_out=_is_shut_out(world, made.officer),
            is_excused=_is_excused(world, made),
        )
        for made in world.book.made.values()
    ]


async def _all_items(console: Console) -> list[OutboxItem]:
    if console.outbox is None:
        return []
    history = await console.outbox.history_for(console.desk.person.id, 1000)
    return [*await console.open_items(), *history]


async def _item(console: Console | None, made: Made) -> OutboxItem | None:
    if console is None or console.outbox is None:
        return None
    try:
        return await console.outbox.get(made.id)
    except OutboxError:
        return None


def _is_shut_out(world: World, officer: int) -> bool:
    console = world.consoles[officer]
    return officer in world.book.disabled and console is not None and console.is_paused


def _is_excused(world: World, made: Made) -> bool:
    """Nobody could have kept it; or its file was damaged, and its officer was told of this one."""
    console, book = world.consoles[made.officer], world.book
    if made.id in book.destroyed or made.id in book.set_aside:
        return True
    return console is not None and bool(console.unusable) and made.id in book.before_damage


# --- not lost ----------------------------------------------------------------------------------


def is_kept(outcome: Outcome, _: Truth) -> str | None:
    if outcome.item is not None or outcome.is_excused:
        return None
    return f"{outcome.where} is gone"


def is_unaltered(outcome: Outcome, _: Truth) -> str | None:
    item, made = outcome.item, outcome.made
    if item is None or (item.payload, item.signature) == (made.payload, made.signature):
        return None
    return f"{outcome.where} was altered"


def is_entered_as_signed(outcome: Outcome, truth: Truth) -> str | None:
    """What was acknowledged is in the ledger, carried out, as it was signed."""
    item, made = outcome.item, outcome.made
    if item is None or item.state is not OutboxState.ACCEPTED:
        return None
    index = None if item.answer is None else item.answer.index
    signature = base64.b64encode(made.signature).decode()
    expected = {"payload": made.payload.decode(), "signature": signature}
    if index in truth.applied[made.id] and truth.entries[index].raw == expected:
        return None
    return f"{outcome.where} is shown as accepted, and entry {index} does not carry it out"


# --- not silent --------------------------------------------------------------------------------


def is_not_denied(outcome: Outcome, truth: Truth) -> str | None:
    item = outcome.item
    if item is None or item.state not in _UNDONE or not truth.applied[outcome.made.id]:
        return None
    return f"{outcome.where} is shown as {item.state} and was applied"


def is_withdrawn_on_the_ledger(outcome: Outcome, truth: Truth) -> str | None:
    """Or its withdrawal was refused there; or waits, where its officer is shut out."""
    item, id_ = outcome.item, outcome.made.id
    if item is None or item.state is not OutboxState.WITHDRAWN:
        return None
    if truth.withdrawn[id_] or truth.kept[id_]:
        return None
    waits = outcome.withdrawal is not None and outcome.withdrawal.state in WAITING_STATES
    if waits and outcome.is_shut_out:
        return None
    return f"{outcome.where} is shown as withdrawn, and nobody was told"


def is_refused_on_the_ledger(outcome: Outcome, truth: Truth) -> str | None:
    """For the very reason that the officer reads."""
    item = outcome.item
    if item is None or item.state not in {OutboxState.CONFLICT, OutboxState.REFUSED}:
        return None
    codes = {truth.entries[index].facts["code"] for index in truth.refused[outcome.made.id]}
    is_conflict = str(item.reason_code).startswith("conflict_")
    if item.reason_code in codes and is_conflict == (item.state is OutboxState.CONFLICT):
        return None
    return f"{outcome.where} is {item.state} as {item.reason_code}, the ledger says {codes}"


def withdrawal_ends_as_on_the_ledger(outcome: Outcome, truth: Truth) -> str | None:
    """Taken back for good, or refused for the very reason that the officer reads."""
    item, id_ = outcome.withdrawal, outcome.made.id
    if item is None or item.state in WAITING_STATES:
        return None
    if item.state is OutboxState.ACCEPTED and truth.withdrawn[id_]:
        return None
    codes = {truth.entries[index].facts["code"] for index in truth.kept[id_]}
    if item.state is OutboxState.REFUSED and item.reason_code in codes:
        return None
    return f"the withdrawal of {outcome.where} is {item.state} as {item.reason_code}, not {codes}"


def has_its_answer(outcome: Outcome, _: Truth) -> str | None:
    """The decision, and what takes it back."""
    for item in (outcome.item, outcome.withdrawal):
        if item is not None and item.state in WAITING_STATES and not outcome.is_shut_out:
            return f"{outcome.where} has a {item.kind} that is {item.state} ({item.reason_code})"
    return None
