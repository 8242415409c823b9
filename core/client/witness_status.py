"""What a witness tells of itself, for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.client.witness_file import WitnessAlarm


class WitnessState(StrEnum):
    NEW = "new"  # nothing seen yet
    FIRST_CONTACT = "first_contact"  # a key is pinned, but no person has compared it
    FOLLOWING = "following"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class WitnessStatus:
    """`verified_to` is a number of entries, None before the first contact was accepted.

    `key_fingerprint` is the checkpoint key's, `root_devices` are the first administrators'
    fingerprints as pinned. `confirmed` own decisions were found in the ledger as
    signed; `unconfirmed` ones lie in a part that was proven as a whole but not read one by one.
    `trouble` says in plain words why the newest of it is not on the disk, and is empty if it is.
    """

    state: WitnessState
    verified_to: int | None
    key_fingerprint: str | None
    root_devices: tuple[str, ...]
    alarm: WitnessAlarm | None
    confirmed: int
    unconfirmed: int
    trouble: str = ""
