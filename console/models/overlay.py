"""The officer's own decision laid over the server's row, until the server's answer replaces it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.domain.decisions import Verdict
from core.protocol.messages import EnrollmentRow


class Progress(StrEnum):
    """How far an own decision came."""

    SENDING = "sending"
    WAITING = "waiting"  # no connection, or the backend is busy: it is kept and goes by itself
    HELD = "held"  # a person has to do something first: sign in, have the device enrolled
    ACCEPTED = "accepted"
    CONFLICT = "conflict"
    REFUSED = "refused"


FINAL_FOR_PERSON = frozenset({Progress.CONFLICT, Progress.REFUSED})


@dataclass(frozen=True, slots=True)
class Overlay:
    """`message` says why, in plain words, for the tooltip and the detail pane; `shown` is the row
    that was decided about, exactly as the officer saw it."""

    verdict: Verdict
    progress: Progress
    message: str = ""
    shown: EnrollmentRow | None = None

    @property
    def blocks_deciding(self) -> bool:
        """Whether the officer's own decision is on its way already."""
        return self.progress not in FINAL_FOR_PERSON

    @property
    def words(self) -> str:
        return _WORDS[self.progress, self.verdict is Verdict.APPROVE]

    @property
    def icon(self) -> str:
        return _ICONS[self.progress]

    @property
    def tone(self) -> str:
        return _TONES[self.progress]


_WORDS = {
    (Progress.SENDING, True): "Approving…",
    (Progress.SENDING, False): "Rejecting…",
    (Progress.WAITING, True): "Approval waits",
    (Progress.WAITING, False): "Rejection waits",
    (Progress.HELD, True): "Approval held",
    (Progress.HELD, False): "Rejection held",
    (Progress.ACCEPTED, True): "Approved",
    (Progress.ACCEPTED, False): "Rejected",
    (Progress.CONFLICT, True): "Decide again",
    (Progress.CONFLICT, False): "Decide again",
    (Progress.REFUSED, True): "Refused",
    (Progress.REFUSED, False): "Refused",
}
_ICONS = {
    Progress.SENDING: "send",
    Progress.WAITING: "hourglass",
    Progress.HELD: "lock",
    Progress.ACCEPTED: "circle-check",
    Progress.CONFLICT: "triangle-alert",
    Progress.REFUSED: "circle-x",
}
_TONES = {
    Progress.SENDING: "accent",
    Progress.WAITING: "warn",
    Progress.HELD: "warn",
    Progress.ACCEPTED: "ok",
    Progress.CONFLICT: "warn",
    Progress.REFUSED: "danger",
}
