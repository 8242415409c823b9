"""The console's own checks of an entry, against our real backend, and against one that lies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest_asyncio
from uuid_utils.compat import uuid7

from core.client.api import Api
from core.client.audit import AuditQuery, AuditReader, EntryChecks, Standing, Trust
from core.client.errors import UnreachableError
from core.client.http import open_http
from core.client.secrets import MemoryStore
from core.client.session import SessionKeeper
from core.client.witness import Witness
from core.client.witness_file import Verified
from core.domain.roles import Role
from core.ledger.keys import SigningKey, fingerprint
from core.ledger.leaf import Leaf, Signed, decode, encode
from core.protocol.messages import (
    AuditActors,
    AuditEntry,
    AuditOutline,
    AuditPage,
    InclusionProof,
)
from tests.support.live_backend import LiveBackend
from tests.support.live_template import PASSWORD
from tests.support.waiting import until


@dataclass
class Liar:
    """Tells what the real backend tells, except where a test says otherwise."""

    api: Api
    leaves: dict[int, str] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    dark: bool = False

    async def audit_page(
        self, wanted: Mapping[str, str], *, before: int | None = None, limit: int = 100
    ) -> AuditPage:
        self._reach()
        page = await self.api.audit_page(wanted, before=before, limit=limit)
        told = [
            entry.model_copy(update={"leaf": self.leaves.get(entry.index, entry.leaf)})
            for entry in page.entries
            if entry.index not in self.hidden
        ]
        return AuditPage(size=page.size, entries=tuple(told))

    async def audit_outline(
        self, wanted: Mapping[str, str], *, before: int | None = None
    ) -> AuditOutline:
        return await self.api.audit_outline(wanted, before=before)

    async def audit_actors(self) -> AuditActors:
        return await self.api.audit_actors()

    async def inclusion(self, index: int, size: int) -> InclusionProof:
        self._reach()
        return await self.api.inclusion(index, size)

    def _reach(self) -> None:
        if self.dark:
            raise UnreachableError("The backend cannot be reached.")


@dataclass
class Auditor:
    """A supervisor's console over a ledger with a decision in it."""

    backend: LiveBackend
    source: Liar
    trust: Trust

    @property
    def reader(self) -> AuditReader:
        return AuditReader(self.source, trust=lambda: self.trust)

    async def entries(self, query: AuditQuery | None = None) -> list[AuditEntry]:
        return list((await self.reader.page(query or AuditQuery())).entries)

    async def one(self, action: str) -> AuditEntry:
        """The newest entry of this action."""
        return (await self.entries(AuditQuery(action=action)))[0]

    async def check(self, action: str) -> EntryChecks:
        return await self.reader.check(await self.one(action))


@pytest_asyncio.fixture
async def auditor(live_backend: LiveBackend) -> AsyncIterator[Auditor]:
    claimed = live_backend.claim()
    live_backend.approve(live_backend.device(), claimed.enrollment)
    api = Api(open_http(live_backend.url), SessionKeeper(MemoryStore(), live_backend.url))
    await api.sign_in(live_backend.person(Role.SUPERVISOR).email, PASSWORD)
    witness = await Witness.open(
        live_backend.folder / "witness.json", source=api, on_change=lambda _: None
    )

    async def verified() -> Verified | None:
        await witness.meet(await api.workspace())
        await witness.accept_first_contact()
        found = witness.verified
        return found if found is not None and found.size == live_backend.size else None

    tree = await until(verified, what="a checkpoint over everything")
    assert isinstance(tree, Verified)
    roots = frozenset({fingerprint(live_backend._template.root_key.public)})
    yield Auditor(live_backend, Liar(api), Trust(verified=tree, roots=roots))
    await api.aclose()


async def test_a_decision_is_checked_from_its_signature_to_the_verified_root(
    auditor: Auditor,
) -> None:
    entry = await auditor.one("enrollment.approved")
    checks = await auditor.reader.check(entry)
    assert checks.signature.standing is Standing.HOLDS
    assert "which an administrator enrolled" in checks.signature.words
    assert checks.inclusion.standing is Standing.HOLDS
    size = auditor.trust.verified.size if auditor.trust.verified else 0
    assert checks.inclusion.words == (
        f"Proved to be entry {entry.index} of the ledger verified to {size}."
    )


async def test_every_entry_of_a_sound_ledger_is_in_it_and_none_is_broken(auditor: Auditor) -> None:
    entries = await auditor.entries()
    assert len(entries) == auditor.backend.size
    signed = 0
    for entry in entries:
        checks = await auditor.reader.check(entry)
        assert checks.inclusion.standing is Standing.HOLDS
        has_signature = decode(entry.leaf.encode()).signed is not None
        assert checks.signature.standing is (Standing.HOLDS if has_signature else Standing.NONE)
        signed += has_signature
    assert signed >= 3  # the root device, the officer's device, the decision


async def test_a_changed_entry_is_not_in_the_ledger(auditor: Auditor) -> None:
    entry = await auditor.one("claim.submitted")
    leaf = decode(entry.leaf.encode())
    forged = replace(leaf, facts={**leaf.facts, "claim_cents": 1})
    auditor.source.leaves[entry.index] = encode(forged).decode()
    checks = await auditor.check("claim.submitted")
    assert checks.inclusion.standing is Standing.BROKEN
    assert checks.signature.standing is Standing.NONE


async def test_a_decision_nobody_signed_or_signed_otherwise_is_broken(auditor: Auditor) -> None:
    entry = await auditor.one("enrollment.approved")
    leaf = decode(entry.leaf.encode())
    assert leaf.signed is not None
    other = SigningKey(bytes(32)).sign(leaf.signed.payload)
    forgeries: tuple[Leaf, ...] = (
        replace(leaf, signed=Signed(leaf.signed.payload, other)),
        replace(leaf, actor=f"user:{uuid7()}"),
        replace(leaf, device=uuid7()),
        replace(leaf, subject=f"enrollment:{uuid7()}"),
        replace(leaf, action="enrollment.rejected"),
        replace(leaf, signed=None),
    )
    for forged in forgeries:
        auditor.source.leaves[entry.index] = encode(forged).decode()
        odd = entry.model_copy(update={"leaf": encode(forged).decode()})
        checks = await auditor.reader.check(odd)
        assert checks.signature.standing is Standing.BROKEN, forged
    unread = await auditor.reader.check(entry.model_copy(update={"leaf": "{}"}))
    assert unread.signature.standing is Standing.BROKEN


async def test_a_device_that_no_known_administrator_enrolled_does_not_count(
    auditor: Auditor,
) -> None:
    auditor.trust = replace(auditor.trust, roots=frozenset({"another root"}))
    checks = await auditor.check("enrollment.approved")
    assert checks.signature.standing is Standing.BROKEN
    assert "not one of the trusted ones" in checks.signature.words
    auditor.trust = replace(auditor.trust, roots=frozenset())
    checks = await auditor.check("enrollment.approved")
    assert checks.signature.standing is Standing.HOLDS
    assert "pinned on this console" in checks.signature.words


async def test_an_enrollment_that_is_kept_back_breaks_the_signature(auditor: Auditor) -> None:
    decision = await auditor.one("enrollment.approved")
    device = decode(decision.leaf.encode()).device
    assert isinstance(device, UUID)
    about = await auditor.entries(AuditQuery(about=f"device:{device}"))
    auditor.source.hidden |= {entry.index for entry in about}
    checks = await auditor.check("enrollment.approved")
    assert checks.signature.standing is Standing.BROKEN


async def test_without_the_backend_nothing_is_claimed(auditor: Auditor) -> None:
    entry = await auditor.one("enrollment.approved")
    auditor.source.dark = True
    checks = await auditor.reader.check(entry)
    assert checks.signature.standing is Standing.UNKNOWN
    assert checks.inclusion.standing is Standing.UNKNOWN
    assert "cannot be reached" in checks.inclusion.words


async def test_what_is_newer_than_the_verified_ledger_waits(auditor: Auditor) -> None:
    auditor.backend.claim()
    checks = await auditor.check("claim.submitted")
    assert checks.inclusion.standing is Standing.UNKNOWN
    assert "Newer than the ledger as verified" in checks.inclusion.words
    auditor.trust = replace(auditor.trust, verified=None)
    checks = await auditor.check("claim.submitted")
    assert checks.inclusion.standing is Standing.UNKNOWN


async def test_names_and_outline_come_over_the_wire(auditor: Auditor) -> None:
    names = {one.name for one in (await auditor.reader.actors()).actors}
    assert {"Thandi Mokoena", "System"} <= names
    query = AuditQuery(action="user.added")
    outline = await auditor.reader.outline(query)
    found = await auditor.entries(query)
    assert outline.total == len(found) == 4
    assert outline.starts == (found[0].index,)
