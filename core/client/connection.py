"""The live connection as a pure state machine: what to show, and whether to try again.

No sockets, no clock: whoever drives it hands in the time and the jitter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TypeAlias

from core.client.backoff import Jitter, delay
from core.protocol.messages import CloseCode

GRACE_SECONDS = 2.0
"""A loss that is over sooner is not shown at all."""

# A connection that held this long was a good one: the delays start anew.
_STEADY_SECONDS = 5.0
# One that keeps breaking right after it came up is not tried more often than this step allows.
_FLAPPING_STEP = 2
# The first renewal may only give what another part of this console had got meanwhile, and that may
# have run out while the computer slept. The second one asks the backend.
_MAX_RENEWALS = 2


class ConnectionState(StrEnum):
    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"
    REFUSED = "refused"
    SIGNED_OUT = "signed_out"
    ALARM = "alarm"


class Step(StrEnum):
    """What the end of a connection means."""

    RETRY = "retry"
    RENEW = "renew"  # the access token is refused: try again with a newer one
    REFUSED = "refused"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """`message` is for people; empty while all is well."""

    state: ConnectionState
    message: str = ""


CONNECTING = ConnectionStatus(ConnectionState.CONNECTING)
LIVE = ConnectionStatus(ConnectionState.LIVE)
LOST = ConnectionStatus(ConnectionState.LOST, "The connection was lost; trying again.")
REFUSED = ConnectionStatus(
    ConnectionState.REFUSED,
    "The backend refuses this console. Check the address and your role, or update Bursar.",
)
SIGNED_OUT = ConnectionStatus(ConnectionState.SIGNED_OUT, "Your sign-in has ended: sign in again.")
OTHER_LEDGER = ConnectionStatus(
    ConnectionState.ALARM,
    "The backend shows another ledger, or a shorter one, than this console has seen before.",
)

_REFUSED = frozenset({CloseCode.BAD_MESSAGE, CloseCode.NOT_ALLOWED, CloseCode.TOO_LARGE})
_ALARM = frozenset({CloseCode.AHEAD, CloseCode.OTHER_EPOCH})
_HTTP_REFUSED = frozenset({400, 403, 404, 405, 426})


def after_close(code: int | None) -> Step:
    """Retry or give up, by the close code; None stands for a connection that just broke.

    Everything unknown is retried: a backend that restarts closes with 1001 or 1012, a network that
    breaks gives 1005, 1006 or 1011, and one that was too slow (4429) or silent (4408) may resume.
    """
    if code == CloseCode.SIGN_IN_NEEDED:
        return Step.RENEW
    if code in _REFUSED:
        return Step.REFUSED
    if code in _ALARM:
        return Step.ALARM
    return Step.RETRY


def after_handshake(status: int) -> Step:
    """Retry or give up, by the HTTP status that came instead of a websocket."""
    if status == 401:
        return Step.RENEW
    return Step.REFUSED if status in _HTTP_REFUSED else Step.RETRY


@dataclass(frozen=True, slots=True)
class Connect:
    """Begin a try `after` seconds from now, in place of any that is waited for.

    `renew`: the token of the try before was refused, take a newer one.
    """

    after: float
    renew: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """No more tries until `start`, `retry_now` or `signed_in`."""


Action: TypeAlias = Connect | Stop | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """`status` is to be shown now; at the time `look_at`, if nothing happens before, ask `look`."""

    status: ConnectionStatus
    action: Action
    look_at: float | None


class _Phase(Enum):
    IDLE = auto()  # not started, stopped, or only a person helps
    WAITING = auto()
    TRYING = auto()
    OPEN = auto()  # the handshake is done, nothing has come yet
    LIVE = auto()


_AWAY = frozenset({_Phase.WAITING, _Phase.TRYING, _Phase.OPEN})
_CONNECTED = frozenset({_Phase.TRYING, _Phase.OPEN, _Phase.LIVE})


class ConnectionMachine:
    """Each method is an event at the time `now` (seconds of any clock that never goes back).

    At most one try is waited for or under way. An event that cannot be, because there is no such
    connection (any more), changes nothing. A loss is shown once it has lasted the grace, or at
    once when the next try cannot come sooner; from then on until it is over, or a person asks.
    """

    def __init__(self, *, jitter: Jitter, delays: Callable[[int, Jitter], float] = delay) -> None:
        self._jitter = jitter
        self._delays = delays
        self._phase = _Phase.IDLE
        self._shown = CONNECTING
        self._failures = 0
        self._renewals = 0
        self._next_at = 0.0  # of the try that is waited for
        self._live_since = 0.0
        self._away_since: float | None = None  # None: not live yet, and nothing has failed yet

    # --- what the program and people want ---

    def start(self, now: float) -> Reaction:
        """Connect at once, whatever was before. Only while no connection is open."""
        self._failures = self._renewals = 0
        return self._try_at_once(now)

    def retry_now(self, now: float) -> Reaction:
        """Somebody asked: do not wait for the next try, and show that it is tried."""
        if self._phase in {_Phase.IDLE, _Phase.WAITING}:
            return self._try_at_once(now)
        if self._shown == LOST:
            self._shown, self._away_since = CONNECTING, None
        return self._react(now)

    def signed_in(self, now: float) -> Reaction:
        """There is a new session."""
        self._renewals = 0
        return self.retry_now(now)

    def stop(self, now: float) -> Reaction:
        """The console goes."""
        self._phase = _Phase.IDLE
        if self._shown in {LIVE, LOST}:
            self._shown = CONNECTING
        return self._react(now, Stop())

    def look(self, now: float) -> Reaction:
        """Time has passed."""
        return self._react(now)

    # --- what the network says ---

    def connecting(self, now: float) -> Reaction:
        """The try that was waited for begins."""
        if self._phase is _Phase.WAITING:
            self._phase = _Phase.TRYING
        return self._react(now)

    def opened(self, now: float) -> Reaction:
        """The handshake is done."""
        if self._phase is _Phase.TRYING:
            self._phase = _Phase.OPEN
        return self._react(now)

    def live(self, now: float) -> Reaction:
        """Something of the ledger came."""
        if self._phase in {_Phase.TRYING, _Phase.OPEN}:
            self._phase, self._shown = _Phase.LIVE, LIVE
            self._live_since, self._away_since = now, None
            self._failures = min(self._failures, _FLAPPING_STEP)
            self._renewals = 0
        return self._react(now)

    def closed(self, code: int | None, now: float, reason: str = "") -> Reaction:
        """The connection ended, with the other side's code and words or without any."""
        # Anything else that is refused is nobody's doing: our own words tell what to try.
        return self._end(after_close(code), now, reason if code == CloseCode.NOT_ALLOWED else "")

    def handshake_refused(self, status: int, now: float) -> Reaction:
        """There is an HTTP answer instead of a connection."""
        return self._end(after_handshake(status), now)

    def unreachable(self, now: float) -> Reaction:
        """No connection came about."""
        return self._end(Step.RETRY, now)

    def session_ended(self, now: float) -> Reaction:
        """There is no token to be had."""
        return self._give_up(SIGNED_OUT, now) if self._phase in _CONNECTED else self._react(now)

    def shut_out(self, reason: str, now: float) -> Reaction:
        """There is no token to be had, and signing in does not help; in words for people."""
        return self._end(Step.REFUSED, now, reason)

    # --- how ---

    def _try_at_once(self, now: float) -> Reaction:
        self._phase, self._next_at = _Phase.WAITING, now
        if self._shown != LIVE:
            self._shown, self._away_since = CONNECTING, None
        return self._react(now, Connect(0.0))

    def _end(self, step: Step, now: float, reason: str = "") -> Reaction:
        if self._phase not in _CONNECTED:
            return self._react(now)
        if step is Step.REFUSED:
            said = ConnectionStatus(ConnectionState.REFUSED, reason) if reason else REFUSED
            return self._give_up(said, now)
        if step is Step.ALARM:
            return self._give_up(OTHER_LEDGER, now)
        renew = step is Step.RENEW
        self._renewals += renew
        if self._renewals > _MAX_RENEWALS:
            return self._give_up(SIGNED_OUT, now)
        return self._try_later(now, renew=renew)

    def _give_up(self, status: ConnectionStatus, now: float) -> Reaction:
        self._phase, self._shown = _Phase.IDLE, status
        return self._react(now, Stop())

    def _try_later(self, now: float, *, renew: bool) -> Reaction:
        if self._phase is _Phase.LIVE and now - self._live_since >= _STEADY_SECONDS:
            self._failures = 0
        if self._away_since is None:
            self._away_since = now
        after = self._delays(self._failures, self._jitter)
        self._failures += 1
        self._phase, self._next_at = _Phase.WAITING, now + after
        return self._react(now, Connect(after, renew))

    def _react(self, now: float, action: Action = None) -> Reaction:
        look_at = None
        if self._phase in _AWAY and self._away_since is not None and self._shown != LOST:
            look_at = self._away_since + GRACE_SECONDS
            next_at = self._next_at if self._phase is _Phase.WAITING else now
            if max(now, next_at) >= look_at:
                self._shown, look_at = LOST, None
        return Reaction(self._shown, action, look_at)
