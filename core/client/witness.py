"""`Witness`: remembers the last ledger head it verified, and takes only what continues it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from core.client import witness_checks as checks
from core.client import witness_file
from core.client.errors import ClientError
from core.client.witness_checks import BrokenError
from core.client.witness_file import AlarmKind, Contact, Kept, Verified, WitnessAlarm
from core.client.witness_keeping import WitnessKeeping
from core.client.witness_own import AlteredError, Own, OwnDecisions, check_included
from core.client.witness_status import WitnessState, WitnessStatus
from core.ledger import tree
from core.ledger.keys import fingerprint
from core.ledger.merkle import leaf_hash
from core.protocol.feed import CheckpointSeen, Entry, FeedEvent, Snapshot
from core.protocol.messages import ConsistencyProof, LedgerHead, Workspace

__all__ = ["LedgerSource", "Witness", "WitnessState", "WitnessStatus"]


class LedgerSource(Protocol):
    """The two routes this needs; `Api` has them."""

    async def ledger_head(self) -> LedgerHead: ...

    async def consistency(self, size1: int, size2: int) -> ConsistencyProof: ...


class Witness:
    """Open it with `await Witness.open(path, ...)`; one file per backend.

    Whatever does not hold becomes an alarm with both sides kept as evidence; from then on nothing
    is verified until a person calls `accept_alarm`. A backend that cannot be reached is no alarm:
    verification just stands where it was. Nor is a full disk: verification goes on in memory.
    """

    def __init__(
        self,
        path: Path,
        kept: Kept,
        *,
        source: LedgerSource,
        on_change: Callable[[WitnessStatus], None],
        now: Callable[[], datetime],
    ) -> None:
        self._keeping = WitnessKeeping(path)
        self._kept = kept
        self._source = source
        self._on_change = on_change
        self._now = now
        self._lock = asyncio.Lock()
        self._workspace: Workspace | None = None
        self._accepts_first = False
        self._size = 0  # of the tree as followed, leaf by leaf; its root needs a signature yet
        self._peaks: tuple[bytes, ...] = ()
        self._linked = True  # whether that tree grew, leaf by leaf, out of the verified one
        self._owes = False
        self._own = OwnDecisions()
        if kept.contact is not None:
            self._stand_on(kept.contact.verified.size, kept.contact.verified.peaks)

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        source: LedgerSource,
        on_change: Callable[[WitnessStatus], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Witness:
        """Take up what an earlier run kept. A damaged file is an alarm, not a first contact."""
        try:
            kept = await asyncio.to_thread(witness_file.load, path)
        except witness_file.UnreadableStateError:
            witness = cls(path, Kept(), source=source, on_change=on_change, now=now)
            message = "What this console had verified cannot be read any more."
            await witness._sound(BrokenError(AlarmKind.STATE_UNREADABLE, message, ""))
            return witness
        return cls(path, kept, source=source, on_change=on_change, now=now)

    @property
    def status(self) -> WitnessStatus:
        contact, alarm = self._kept.contact, self._kept.alarm
        accepted = contact is not None and contact.accepted
        return WitnessStatus(
            state=self._state(),
            verified_to=contact.verified.size if contact is not None and accepted else None,
            key_fingerprint=None if contact is None else fingerprint(contact.key),
            root_devices=self._kept.root_devices,
            alarm=alarm,
            confirmed=self._own.confirmed,
            unconfirmed=self._own.unconfirmed,
            trouble=self._keeping.trouble,
        )

    def _state(self) -> WitnessState:
        if self._kept.alarm is not None:
            return WitnessState.ALARM
        if self._kept.contact is None:
            return WitnessState.NEW
        accepted = self._kept.contact.accepted
        return WitnessState.FOLLOWING if accepted else WitnessState.FIRST_CONTACT

    @property
    def verified(self) -> Verified | None:
        """The tree that proofs of single entries are held against; None before first contact was
        accepted, and while there is an alarm."""
        contact = self._kept.contact
        following = self._state() is WitnessState.FOLLOWING
        return contact.verified if contact is not None and following else None

    @property
    def epoch(self) -> UUID | None:
        """Of the ledger that is known; for the feed's hello."""
        return None if self._kept.contact is None else self._kept.contact.epoch

    # --- what a person does ---

    async def accept_first_contact(self) -> None:
        """A person compared the checkpoint key's fingerprint, or the backend is our own child.

        Before the backend has signed its first checkpoint, this holds for that one.
        """
        async with self._lock:
            contact = self._kept.contact
            self._accepts_first = contact is None
            if contact is not None and self._kept.alarm is None:
                await self._keep(replace(self._kept, contact=replace(contact, accepted=True)))

    async def accept_alarm(self) -> None:
        """A person saw the alarm: forget what was pinned; the evidence stays. Then `meet` again."""
        async with self._lock:
            self._accepts_first = False
            self._own = OwnDecisions()
            self._stand_on(0, ())
            await self._keep(Kept(disputed=self._kept.disputed))

    # --- what the backend says ---

    async def meet(self, workspace: Workspace) -> None:
        """At each start: pin the backend's ledger, or hold it against what was pinned before."""
        self._workspace = workspace
        await self._guarded(self._jump)

    @property
    def owes(self) -> bool:
        """Whether the backend could not be asked to prove what it has signed, or the disk did not
        take what was verified: see `catch_up`."""
        return self._owes or bool(self._keeping.trouble)

    async def catch_up(self) -> None:
        """Try again; the next checkpoint may be days away. Told by `on_change` when it is due."""
        if self._owes:
            await self._guarded(self._jump)
        if self._keeping.trouble:
            async with self._lock:
                before = self.status
                await self._save()
                self._tell_after(before)

    async def follow(self, events: Iterable[FeedEvent]) -> None:
        """Check each event of the feed, in order."""
        await self._guarded(lambda: self._follow(events))

    async def expect(self, payload: bytes, signature: bytes, index: int) -> None:
        """The backend said that this decision is entry `index`: hold it to that."""
        await self.expect_all([Own.of(payload, signature, index)])

    async def expect_all(self, owns: Iterable[Own]) -> None:
        """The same for many; what was told before changes nothing."""
        await self._guarded(lambda: self._expect(owns))

    def has_found(self, own: Own) -> bool:
        """Whether the verified ledger was seen to hold it as signed."""
        return self._own.is_found(own)

    def is_disputed(self, own: Own) -> bool:
        """Whether an alarm was sounded about it; a person knows, no matter what they accepted."""
        return own.digest.hex() in self._kept.disputed

    async def prove(self, own: Own, leaf: str, hashes: Sequence[str], verified: Verified) -> None:
        """Hold the backend's proof, that the `verified` tree has `own` in `leaf`, to it.

        What does not hold is an alarm, unless the tree has moved on while the backend was asked.
        """
        await self._guarded(lambda: self._prove_own(own, leaf, hashes, verified))

    async def pin_roots(self, fingerprints: Sequence[str]) -> None:
        """Of the first administrators' devices, as the backend tells them: pinned where none is
        pinned yet; from then on another one is an alarm."""
        await self._guarded(lambda: self._pin_roots(fingerprints))

    async def trust_root(self, root: str, *, trusted: bool = True) -> None:
        """A person at this console makes this root: no news. Not `trusted`: it was refused."""
        await self._guarded(lambda: self._trust_root(root, trusted=trusted))

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        async with self._lock:
            if self._kept.alarm is not None:
                return
            before, kept, owed = self.status, self._kept, self._owes
            try:
                await step()
            except BrokenError as broken:
                await self._sound(broken)
                return
            if self._kept is not kept or self._keeping.trouble:
                await self._save()
            self._tell_after(before, owes_now=self._owes and not owed)

    async def _follow(self, events: Iterable[FeedEvent]) -> None:
        for event in events:
            if isinstance(event, Entry):
                self._append(event)
            elif isinstance(event, CheckpointSeen):
                await self._checkpoint(event)
            elif isinstance(event, Snapshot):
                await self._snapshot(event)

    def _append(self, entry: Entry) -> None:
        if entry.index != self._size or self._kept.contact is None:
            return  # covered by a proof already, or to be covered by the next one
        grown = tree.append(self._size, self._peaks, [leaf_hash(entry.leaf.encode())])
        self._size, self._peaks = grown.size, grown.peaks
        leaf = checks.leaf_of_interest(entry.leaf)
        if leaf is not None and self._kept.root_devices:
            checks.check_root_device(leaf, self._kept.root_devices, entry.leaf)
        self._own.came_by(entry.index, leaf, entry.leaf)

    async def _expect(self, owns: Iterable[Own]) -> None:
        for own in owns:
            if not self.is_disputed(own):
                self._own.expect(own, self._size)

    async def _prove_own(
        self, own: Own, leaf: str, hashes: Sequence[str], verified: Verified
    ) -> None:
        try:
            check_included(own, leaf, hashes, verified)
        except AlteredError:
            if self.verified != verified:
                return
            raise
        self._own.proved(own)

    async def _checkpoint(self, seen: CheckpointSeen) -> None:
        contact = self._kept.contact
        if contact is None:
            await self._jump()
            return
        checkpoint = checks.open_known(seen.note, contact)
        if checkpoint.size != seen.size:
            message = "A checkpoint says another size than the message that brought it."
            raise BrokenError(AlarmKind.BAD_CHECKPOINT, message, seen.note)
        checks.check_same(contact.verified, checkpoint, seen.note)
        if checkpoint.size > self._size:
            await self._jump()
        elif checkpoint.size == self._size and checkpoint.size > contact.verified.size:
            here = Verified(self._size, tree.root_from_peaks(self._peaks), seen.note, self._peaks)
            checks.check_same(here, checkpoint, seen.note)
            if self._linked or await self._proven(contact.verified, here):
                self._linked, self._owes = True, False
                self._believe(contact, here)
                self._own.covered(here.size)

    async def _proven(self, old: Verified, new: Verified) -> bool:
        """Whether `new` was shown to continue `old`; not while the backend cannot be asked."""
        try:
            await self._prove(old, new)
        except ClientError:
            self._owes = True
            return False
        return True

    async def _prove(self, old: Verified, new: Verified) -> None:
        if old.size > 0:  # every ledger continues the empty one
            proof = await self._source.consistency(old.size, new.size)
            checks.check_continues(old, new, proof)

    async def _snapshot(self, snapshot: Snapshot) -> None:
        contact = self._kept.contact
        if contact is None or snapshot.size < contact.verified.size:
            # It may have been on its way while more was verified: the signed head tells.
            await self._jump()
        if self._kept.contact is None or snapshot.size <= self._size:
            return
        peaks = checks.read_peaks(snapshot.peaks, snapshot.size)
        if peaks is None:
            await self._jump()
        else:
            # Not believed yet: the next checkpoint shows whether these are the tree's peaks.
            self._stand_on(snapshot.size, peaks, linked=False)

    async def _jump(self) -> None:
        """Take the backend's signed head if it continues what was verified; offline, nothing."""
        try:
            head = await self._source.ledger_head()
            await self._take(head)
        except ClientError:
            self._owes = True
        else:
            self._owes = False

    async def _take(self, head: LedgerHead) -> None:
        contact = self._kept.contact
        if contact is None:
            self._first_contact(head)
            return
        checks.check_identity(contact, self._workspace, head)
        checkpoint = checks.open_known(head.note, contact)
        new, old = checks.read_head(head, checkpoint), contact.verified
        checks.check_not_shorter(old, new.size, head.note)
        checks.check_same(old, checkpoint, head.note)
        if new.size > old.size:
            await self._prove(old, new)
            self._believe(contact, new)
        if new.size > self._size:
            self._stand_on(new.size, new.peaks)

    def _first_contact(self, head: LedgerHead) -> None:
        if self._workspace is None:
            return
        contact = checks.first_contact(self._workspace, head, accepted=self._accepts_first)
        self._kept = replace(self._kept, contact=contact)
        self._stand_on(contact.verified.size, contact.verified.peaks)

    def _believe(self, contact: Contact, verified: Verified) -> None:
        self._kept = replace(self._kept, contact=replace(contact, verified=verified))

    def _stand_on(self, size: int, peaks: tuple[bytes, ...], *, linked: bool = True) -> None:
        self._size, self._peaks, self._linked = size, peaks, linked
        self._own.passed_over(size)

    async def _pin_roots(self, told: Sequence[str]) -> None:
        checks.check_roots(self._kept.root_devices, told)
        if not self._kept.root_devices and told:
            self._kept = replace(self._kept, root_devices=tuple(told))

    async def _trust_root(self, root: str, *, trusted: bool) -> None:
        others = tuple(one for one in self._kept.root_devices if one != root)
        roots = (*others, root) if trusted else others
        self._kept = replace(self._kept, root_devices=roots)

    # --- keeping ---

    async def _sound(self, broken: BrokenError) -> None:
        at = self._now()
        ours = None if self._kept.contact is None else self._kept.contact.verified
        evidence = {
            "kind": broken.kind.value,
            "message": broken.message,
            "at": at.isoformat(),
            "our_size": None if ours is None else ours.size,
            "our_note": None if ours is None else ours.note,
            "followed_size": self._size,
            "followed_root": tree.root_from_peaks(self._peaks).hex(),
            "theirs": broken.theirs,
        }
        self._keeping.add_evidence(broken.kind, evidence)
        disputed = self._kept.disputed
        if isinstance(broken, AlteredError):
            disputed |= {broken.digest.hex()}
        alarm = WitnessAlarm(broken.kind, broken.message, at, evidence="")
        await self._keep(replace(self._kept, alarm=alarm, disputed=disputed))

    async def _keep(self, kept: Kept) -> None:
        self._kept = kept
        await self._save()
        self._on_change(self.status)

    async def _save(self) -> None:
        self._kept = await self._keeping.save(self._kept)

    def _tell_after(self, before: WitnessStatus, *, owes_now: bool = False) -> None:
        if self.status != before or owes_now:
            self._on_change(self.status)
