"""What the banner over every screen says: one thing at a time, the gravest first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from core.client.connection import ConnectionState
from core.client.witness import WitnessState, WitnessStatus
from core.domain.roles import DECIDING_ROLES, Role
from core.protocol.messages import DeviceState


class BannerAction(Enum):
    """What the banner's button does."""

    SIGN_IN = auto()
    RETRY = auto()
    ACCEPT_CONTACT = auto()
    SHOW_FINGERPRINT = auto()
    ENTER_CODE = auto()
    ASK_AGAIN = auto()
    NEW_KEY = auto()
    SHOW_REQUESTS = auto()
    SHOW_OUTBOX = auto()


@dataclass(frozen=True, slots=True)
class Telling:
    """`kind` is info, warn or danger; `words` are on the button."""

    kind: str
    text: str
    words: str = ""
    action: BannerAction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All that the banner depends on. `message` is the connection's own; `waiting` consoles want to
    be enrolled, which only administrators hear of; `as_of` is a moment in words while the pending
    list is an old one, and `keeps` whether decisions can wait on this computer meanwhile;
    `elsewhere` says of the officer's decisions that wait where this console cannot send them."""

    connection: ConnectionState
    message: str
    witness: WitnessStatus | None
    device: DeviceState
    fingerprint: str
    roles: frozenset[Role]
    has_root: bool
    waiting: int
    as_of: str
    keeps: bool
    elsewhere: str


_KEPT = "Decisions are kept on this computer until you sign in."
_IN_MEMORY = (
    "Nothing is kept on this computer: decisions wait until you sign in, and are lost if you close"
    " Bursar before."
)


def banner_of(now: Situation) -> Telling | None:
    """What to tell, or nothing."""
    if now.connection is ConnectionState.SIGNED_OUT:
        return Telling(
            "warn",
            f"Your sign-in has ended. {_KEPT if now.keeps else _IN_MEMORY}",
            "Sign in again",
            BannerAction.SIGN_IN,
        )
    if now.connection in {ConnectionState.REFUSED, ConnectionState.ALARM}:
        return Telling("danger", now.message, "Try again", BannerAction.RETRY)
    if now.witness is not None and now.witness.state is WitnessState.FIRST_CONTACT:
        return Telling(
            "info",
            "First contact with this ledger. Compare its key with the one your administrator has:"
            f" {now.witness.key_fingerprint}",
            "It matches",
            BannerAction.ACCEPT_CONTACT,
        )
    if now.as_of:
        return _offline(now)
    if now.device is not DeviceState.ENROLLED:
        return _not_enrolled(now)
    if now.elsewhere:
        return Telling("warn", now.elsewhere, "Look", BannerAction.SHOW_OUTBOX)
    if now.waiting:
        one = now.waiting == 1
        words = "A console waits" if one else f"{now.waiting} consoles wait"
        return Telling("info", f"{words} to be enrolled.", "Look", BannerAction.SHOW_REQUESTS)
    return None


def _offline(now: Situation) -> Telling:
    decisions = (
        "Decisions are kept on this computer and go out by themselves."
        if now.keeps
        else "Nothing can be decided until the connection is back."
    )
    return Telling(
        "warn",
        f"Offline. Showing the list as of {now.as_of}. {decisions}",
        "Connect again now",
        BannerAction.RETRY,
    )


def _not_enrolled(now: Situation) -> Telling:
    held = (
        "your decisions are held"
        if now.roles & DECIDING_ROLES
        else "it cannot enroll other consoles yet"
    )
    if now.device is DeviceState.REVOKED:
        return Telling(
            "danger",
            "This console's key was revoked: what is decided here is refused. With a new key it"
            " asks an administrator to enroll it.",
            "Make a new key…",
            BannerAction.NEW_KEY,
        )
    if now.device is DeviceState.REFUSED:
        return Telling(
            "warn",
            f"An administrator refused to enroll this console; {held}. Call your administrator.",
            "Ask again",
            BannerAction.ASK_AGAIN,
        )
    if Role.ADMINISTRATOR in now.roles and not now.has_root:
        return Telling(
            "warn",
            "No administrator's console is enrolled yet, so nobody can enroll others.",
            "Enter the one-time code…",
            BannerAction.ENTER_CODE,
        )
    return Telling(
        "warn",
        f"Waiting for an administrator to enroll this console; {held}. Its fingerprint:"
        f" {now.fingerprint}",
        "Show it large",
        BannerAction.SHOW_FINGERPRINT,
    )
