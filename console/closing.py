"""What closing, signing out or going elsewhere means for decisions without an answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from console.words import counted


@dataclass(frozen=True, slots=True)
class Risk:
    """What to ask before; `danger` where something would or may be lost."""

    title: str
    text: str
    yes: str
    no: str
    danger: bool


def risk_of_closing(*, sending: bool, lost: int) -> Risk | None:
    """`lost` decisions are in memory alone; `sending`: one that is kept is on its way.

    None: nothing, just close.
    """
    if lost:
        return Risk(
            _unsent(lost),
            "Nothing is kept on this computer, so what is not sent is lost if you close now.",
            "Close now",
            "Wait",
            danger=True,
        )
    if sending:
        return Risk(
            "A decision is being sent",
            "It is kept on this computer and goes out at the next start if you close now.",
            "Close now",
            "Wait",
            danger=False,
        )
    return None


def risk_of_signing_out(*, waiting: int, lasts: bool) -> Risk | None:
    """`waiting` of their decisions are not sent; `lasts`: the queue outlives the window.

    None: nothing, just sign out.
    """
    return _risk_of_leaving("when you sign in again", "Sign out", waiting=waiting, lasts=lasts)


def risk_of_going_elsewhere(*, waiting: int, lasts: bool) -> Risk | None:
    """The same before this console connects to another backend."""
    return _risk_of_leaving(
        "when you sign in to this backend again", "Connect elsewhere", waiting=waiting, lasts=lasts
    )


def _risk_of_leaving(when: str, yes: str, *, waiting: int, lasts: bool) -> Risk | None:
    if not waiting:
        return None
    go = "It goes out" if waiting == 1 else "They go out"
    kept = (
        "until then nothing is lost."
        if lasts
        else "nothing is kept on this computer, so what is not sent is lost if you close Bursar"
        " before."
    )
    return Risk(_unsent(waiting), f"{go} {when}; {kept}", yes, "Stay", danger=not lasts)


def _unsent(count: int) -> str:
    return f"{counted(count, 'decision is', 'decisions are')} not sent yet"
