"""Decisions that wait on this computer in a queue that this console does not have open. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from console.words import counted

_THEIRS = "when that officer signs in"


class Behind(Enum):
    """What it takes to open that queue, in words for whoever has to do it."""

    KEYRING = (
        "in a queue that is sealed with this computer's keyring",
        "Unlock the keyring and start Bursar again",
    )
    PASSPHRASE = (
        "in a queue that is sealed with your passphrase",
        "Start Bursar again and give the passphrase",
    )
    CONSOLE = (
        "in a queue that another Bursar console has open",
        "Close that one and start Bursar again",
    )
    TROUBLE = (
        "in a queue that cannot be read now",
        "Make sure that the disk has room and start Bursar again",
    )
    NOTHING = ("in a queue that is sealed with a key that is gone", "")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How many decisions of the officer who is signed in, and of others, wait in one such queue.

    Neither where nobody could count them.
    """

    behind: Behind
    mine: int
    others: int

    @property
    def words(self) -> str:
        """Where they wait and the way out, whosever they are."""
        count = self.mine + self.others
        where, how = self.behind.value
        wait, go = ("waits", "it goes") if count == 1 else ("wait", "they go")
        if count == 0:
            return f"Decisions may wait {where}. {how}: they go out then."
        whose, when = ("", "then") if self.mine else (" of another officer", _THEIRS)
        told = f"{counted(count, 'decision', 'decisions')}{whose} {wait} {where}."
        if not how:
            return f"{told} Look at the pending list, and decide again what is still open."
        return f"{told} {how}: {go} out {when}."


def banner_words(found: Sequence[Elsewhere]) -> str:
    """What concerns the officer who is signed in, or may, or nothing."""
    return " ".join(one.words for one in found if one.mine or not one.others)
