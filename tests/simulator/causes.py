"""Whether what the backend did was right: the house's rules told once more, in their plainest
form, over the ledger alone. A refusal must have had its cause at that very entry, and what was
carried out must have been allowed there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from tests.simulator.truth import REFUSED, WITHDRAWAL_REFUSED, WITHDRAWN, Entry, Truth

_MAX_AGE = timedelta(days=365)
_FROM: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "approve": frozenset({"pending"}),
        "reject": frozenset({"pending"}),
        "reverse_approval": frozenset({"approved", "completed"}),
        "reverse_rejection": frozenset({"rejected"}),
        "reinstate": frozenset({"revoked"}),
    }
)
_EITHER = frozenset({"officer", "supervisor"})
_SUPERVISOR = frozenset({"supervisor"})
_OPENS_CLAIM = frozenset({"claim.submitted", "enrollment.rejection_reversed"})
_CLOSES_CLAIM = frozenset({"enrollment.approved", "enrollment.rejected"})


@dataclass(frozen=True, slots=True)
class _Place:
    """An enrollment. `first` is who gave the first of two signatures, for this version only."""

    version: int
    status: str
    cents: int
    claim_waits: bool
    first: str | None


@dataclass(frozen=True, slots=True)
class _Number:
    """What a device used a number for. `how`: applied, refused or withdrawn."""

    decision: str
    how: str


@dataclass
class _House:
    """What the entries so far say."""

    threshold: int = 0
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    devices: dict[str, frozenset[str]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)
    places: dict[str, _Place] = field(default_factory=dict)
    numbers: dict[tuple[str, int], _Number] = field(default_factory=dict)
    times: list[datetime] = field(default_factory=list)

    def take(self, entry: Entry) -> None:
        """Let the next entry happen."""
        kind, _, subject = entry.subject.partition(":")
        if kind == "enrollment" and entry.version is not None and _changes(entry):
            self.places[subject] = self._place(entry, self.places.get(subject))
        elif kind == "user":
            self._user(entry, subject)
        elif entry.action == "device.enrolled":
            self.devices[entry.facts["device"]] = frozenset(entry.facts["roles"])
        elif entry.action == "device.revoked":
            self.revoked.add(entry.facts["device"])
        elif entry.action == "workspace.set":
            self.threshold = entry.facts["threshold_cents"]
        self._number(entry)
        self.times.append(entry.time)

    def _place(self, entry: Entry, before: _Place | None) -> _Place:
        facts, signed = entry.facts, entry.signed
        waits = before is not None and before.claim_waits
        is_first = entry.action == "enrollment.first_signature" and signed is not None
        return _Place(
            version=entry.version or 0,
            status=facts["status"],
            cents=max(facts["amount_cents"], facts["claim_cents"] or 0),
            claim_waits=entry.action in _OPENS_CLAIM
            or (waits and entry.action not in _CLOSES_CLAIM),
            first=signed["officer"] if is_first and signed is not None else None,
        )

    def _user(self, entry: Entry, user: str) -> None:
        if "roles" in entry.facts:
            self.roles[user] = frozenset(entry.facts["roles"])
        if entry.action == "user.disabled":
            self.disabled.add(user)
        elif entry.action == "user.enabled":
            self.disabled.discard(user)

    def _number(self, entry: Entry) -> None:
        """The first to use a number keeps it, unless that was refused and is withdrawn then."""
        signed = entry.signed
        if signed is None or entry.kind not in {"decision", "withdrawal"}:
            return
        key = (signed["device"], signed["n"])
        used = self.numbers.get(key)
        if entry.kind == "decision":
            how = "refused" if entry.action == REFUSED else "applied"
            self.numbers.setdefault(key, _Number(signed["id"], how))
        elif used is None or used.how == "refused":
            self.numbers[key] = _Number(signed["decision"], "withdrawn")


def _changes(entry: Entry) -> bool:
    return entry.action not in {REFUSED, WITHDRAWN, WITHDRAWAL_REFUSED}


@dataclass(frozen=True, slots=True)
class _Case:
    """Something signed that comes before the house, and what the house knows about it."""

    house: _House
    signed: dict[str, Any]
    used: _Number | None
    place: _Place | None

    @property
    def roles(self) -> frozenset[str]:
        device = self.house.devices.get(self.signed["device"], frozenset())
        return self.house.roles.get(self.signed["officer"], frozenset()) & device

    @property
    def verdict(self) -> str:
        return str(self.signed["verdict"])


def _case(house: _House, signed: dict[str, Any]) -> _Case:
    used = house.numbers.get((signed["device"], signed["n"]))
    return _Case(house, signed, used, house.places.get(signed["enrollment"]))


# --- causes ------------------------------------------------------------------------------------


def _disabled(case: _Case) -> bool:
    return case.signed["officer"] in case.house.disabled


def _revoked(case: _Case) -> bool:
    return case.signed["device"] in case.house.revoked


def _not_allowed(case: _Case) -> bool:
    needed = _EITHER if case.verdict in {"approve", "reject"} else _SUPERVISOR
    return not case.roles & needed


def _number_is_anothers(case: _Case) -> bool:
    return case.used is not None and case.used.decision != case.signed["id"]


def _withdrawn_before(case: _Case) -> bool:
    return case.used == _Number(case.signed["id"], "withdrawn")


def _applied_before(case: _Case) -> bool:
    return case.used == _Number(case.signed["decision"], "applied")


def _another_applied(case: _Case) -> bool:
    used = case.used
    return used is not None and used.how == "applied" and not _applied_before(case)


def _too_old(case: _Case, now: datetime) -> bool:
    times = case.house.times
    last_seen = min(int(case.signed["as_of"]), len(times) - 1)
    return now - times[last_seen] > _MAX_AGE


def _ahead(case: _Case) -> bool:
    return bool(case.signed["as_of"] > len(case.house.times))


def _no_place(case: _Case) -> bool:
    return case.place is None


def _other_status(case: _Case) -> bool:
    return case.place is not None and case.place.status not in _FROM[case.verdict]


def _other_version(case: _Case) -> bool:
    return case.place is not None and case.place.version != case.signed["expected_version"]


def _no_claim(case: _Case) -> bool:
    return case.place is not None and not case.place.claim_waits and case.verdict in _PAYMENT


def _same_signer(case: _Case) -> bool:
    place = case.place
    if place is None or case.verdict != "approve" or place.cents < case.house.threshold:
        return False
    return bool(place.first == case.signed["officer"])


def _no_reason(case: _Case) -> bool:
    return case.verdict != "approve" and case.signed["reason_code"] is None


def _no_amount(case: _Case) -> bool:
    return bool(case.signed["amount_received"] == 0)


_PAYMENT = frozenset({"approve", "reject"})
# The code of a refusal -> whether it had its cause; the age is measured at the entry itself.
CAUSES: Mapping[str, Callable[[_Case], bool]] = MappingProxyType(
    {
        "account_disabled": _disabled,
        "device_revoked": _revoked,
        "not_allowed": _not_allowed,
        "number_reused": _number_is_anothers,
        "withdrawn": _withdrawn_before,
        "ahead": _ahead,
        "unknown_enrollment": _no_place,
        "conflict_decided": _other_status,
        "conflict_changed": _other_version,
        "no_claim": _no_claim,
        "same_signer": _same_signer,
        "reason_needed": _no_reason,
        "amount_invalid": _no_amount,
    }
)
TOO_OLD = "too_old"
WITHDRAWAL_CAUSES: Mapping[str, Callable[[_Case], bool]] = MappingProxyType(
    {
        "account_disabled": _disabled,
        "device_revoked": _revoked,
        "number_reused": _another_applied,
        "already_decided": _applied_before,
    }
)


def _has_cause(case: _Case, entry: Entry) -> bool:
    code = entry.facts["code"]
    if entry.kind == "withdrawal":
        cause = WITHDRAWAL_CAUSES.get(code)
    elif code == TOO_OLD:
        return _too_old(case, entry.time)
    else:
        cause = CAUSES.get(code)
    return cause is not None and cause(case)


def _cases(truth: Truth) -> Iterator[tuple[int, Entry, _Case]]:
    """Everything that officers signed, with the house as it was then."""
    house = _House()
    for index, entry in enumerate(truth.entries):
        if entry.signed is not None and entry.kind in {"decision", "withdrawal"}:
            yield index, entry, _case(house, entry.signed)
        house.take(entry)


def without_cause(truth: Truth) -> str | None:
    """The first refusal that had no cause."""
    for index, entry, case in _cases(truth):
        if entry.action in {REFUSED, WITHDRAWAL_REFUSED} and not _has_cause(case, entry):
            return f"entry {index} refuses for no cause: {entry.facts['code']}"
    return None


def not_permitted(truth: Truth) -> str | None:
    """The first thing that was carried out and should have been refused."""
    for index, entry, case in _cases(truth):
        if entry.action in {REFUSED, WITHDRAWAL_REFUSED}:
            continue
        causes = dict(WITHDRAWAL_CAUSES if entry.kind == "withdrawal" else CAUSES)
        codes = [code for code, cause in causes.items() if cause(case)]
        if entry.kind == "decision" and _too_old(case, entry.time):
            codes.append(TOO_OLD)
        if codes:
            return f"entry {index} carries out what should be refused: {codes[0]}"
    return None
