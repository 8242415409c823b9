"""What closing the console now would mean for decisions that are not sent yet. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from console.words import counted


@dataclass(frozen=True, slots=True)
class Risk:
    """What to ask before closing; `danger` where something would be lost."""

    title: str
    text: str
    danger: bool


def risk_of_closing(*, sending: bool, waiting: int, lasts: bool) -> Risk | None:
    """`waiting` decisions are not sent; `lasts`: the queue outlives the window.

    None: nothing, just close.
    """
    if waiting and not lasts:
        return Risk(
            f"{counted(waiting, 'decision is', 'decisions are')} not sent yet",
            "Nothing is kept on this computer, so what is not sent is lost if you close now.",
            danger=True,
        )
    if sending:
        return Risk(
            "A decision is being sent",
            "It is kept on this computer and goes out at the next start if you close now.",
            danger=False,
        )
    return None
