"""The audit trail: filtered pages with names, outlines, and proofs, on both engines."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from core.backend.services.audit import AuditQuery
from core.backend.services.errors import InvalidError, NotFoundError
from core.backend.storage.ledger import peaks_at
from core.domain.decisions import ReasonCode, Verdict
from core.domain.references import show_reference
from core.ledger.leaf import Leaf, decode
from core.ledger.merkle import leaf_hash, verify_inclusion
from core.ledger.tree import root_from_peaks
from core.protocol.messages import AuditEntry
from tests.support.workspace import House

pytestmark = pytest.mark.both_engines


async def entries(house: House, **wanted: Any) -> tuple[AuditEntry, ...]:
    query = AuditQuery(**wanted)
    return (await house.services.audit.page(query, before=None, limit=100)).entries


async def busy(house: House) -> tuple[UUID, str]:
    """Three claims, one approved and one rejected: the approved one, and its officer's code."""
    first, second, _ = await house.claim(), await house.claim(course=1), await house.claim()
    officer = await house.officer()
    rows = [await house.row(first), await house.row(second)]
    await house.decide(
        officer,
        officer.sign(rows[0]),
        officer.sign(rows[1], Verdict.REJECT, reason=ReasonCode.WRONG_AMOUNT),
    )
    return first, f"user:{officer.identity.user}"


async def test_pages_tell_everything_newest_first_and_without_a_gap(house: House) -> None:
    await busy(house)
    size, seen, before = house.size(), list[int](), None
    while True:
        page = await house.services.audit.page(AuditQuery(), before=before, limit=4)
        assert page.size == size
        seen += [entry.index for entry in page.entries]
        if len(page.entries) < 4:
            break
        before = seen[-1]
    assert seen == list(range(size - 1, -1, -1))


async def test_entries_are_the_stored_ones_with_names_beside_them(house: House) -> None:
    approved, officer = await busy(house)
    row = await house.row(approved)
    stored = house.leaf_bytes()
    found = {entry.index: entry for entry in await entries(house)}
    assert all(entry.leaf.encode() == stored[index] for index, entry in found.items())
    by_action = {decode(e.leaf.encode()).action: e for e in found.values()}
    decision = by_action["enrollment.approved"]
    assert decision.actor_name == "Thandi Mokoena"
    assert (decision.about, decision.reference) == (row.student.name, row.reference)
    assert decode(decision.leaf.encode()).actor == officer
    assert by_action["claim.submitted"].actor_name == row.student.name
    assert by_action["student.registered"].about == row.student.name
    assert by_action["device.enrolled"].about
    assert by_action["course.added"].about in {course.title for course in house.courses}
    assert by_action["user.added"].actor_name == "System"
    assert by_action["workspace.set"].about == ""


async def test_each_filter_and_all_together(house: House) -> None:
    approved, officer = await busy(house)
    row = await house.row(approved)
    subject = f"enrollment:{approved}"
    typed = f" {show_reference(row.reference).lower()} "
    everything = [decode(data) for data in house.leaf_bytes()]
    cases: tuple[tuple[dict[str, Any], Callable[[Leaf], bool]], ...] = (
        ({"actor": officer}, lambda leaf: leaf.actor == officer),
        ({"action": "claim.submitted"}, lambda leaf: leaf.action == "claim.submitted"),
        ({"about": str(approved)}, lambda leaf: leaf.subject == subject),
        ({"about": str(approved).upper()}, lambda leaf: leaf.subject == subject),
        ({"about": subject}, lambda leaf: leaf.subject == subject),
        ({"about": typed}, lambda leaf: leaf.subject == subject),
        (
            {"about": row.reference, "actor": officer, "action": "enrollment.approved"},
            lambda leaf: leaf.subject == subject and leaf.action == "enrollment.approved",
        ),
        ({"actor": f"user:{uuid7()}"}, lambda _: False),
    )
    for wanted, matches in cases:
        expected = [index for index, leaf in enumerate(everything) if matches(leaf)]
        found = await entries(house, **wanted)
        assert [entry.index for entry in found] == expected[::-1]
        outline = await house.services.audit.outline(AuditQuery(**wanted), before=None)
        assert (outline.total, outline.next_before) == (len(expected), None)
        assert outline.starts == tuple(expected[::-1][::100])
        assert outline.subject == (subject if "about" in wanted else None)


async def test_a_time_range_is_exact_even_where_a_clock_was_set_back(house: House) -> None:
    start = house.clock.now
    offsets = [0, 3600, 7200, 5400, 9000, 1800, 10_800, 10_800]  # seconds, in ledger order
    first = house.size()
    for number, offset in enumerate(offsets):
        house.clock.now = start + timedelta(seconds=offset)
        await house.services.workspace.add_course(
            title=f"Course {number}", summary="s", price_cents=100, lessons=()
        )
    times = [decode(data).time for data in house.leaf_bytes()]
    for low, high in ((1800, 9000), (0, 10_800), (10_800, None), (None, 3601), (9999, 10_000)):
        since = None if low is None else start + timedelta(seconds=low)
        until = None if high is None else start + timedelta(seconds=high)
        expected = [
            index
            for index, at in enumerate(times)
            if (since is None or at >= since) and (until is None or at < until)
        ]
        found = [entry.index for entry in await entries(house, since=since, until=until)]
        assert found == expected[::-1]
    assert first < house.size()


async def test_an_outline_without_a_filter_is_the_size(house: House) -> None:
    outline = await house.services.audit.outline(AuditQuery(), before=None)
    assert (outline.total, outline.starts, outline.next_before) == (house.size(), (), None)


async def test_an_outline_goes_on_where_it_was_cut(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.backend.services.audit.OUTLINE_ROWS", 3)
    await busy(house)
    query = AuditQuery(action="user.added")
    first = await house.services.audit.outline(query, before=None)
    assert first.total == 3
    assert first.next_before is not None
    second = await house.services.audit.outline(query, before=first.next_before)
    assert (second.total, second.next_before) == (1, None)
    assert second.starts[0] < first.starts[0]


async def test_what_cannot_be_or_is_not_there_is_said(house: House) -> None:
    for about in ("K7QM", "enrollment:1", "DROP TABLE", "student"):
        with pytest.raises(InvalidError, match="not one of our references"):
            await entries(house, about=about)
    with pytest.raises(NotFoundError, match="no enrollment"):
        await entries(house, about="33333333")  # a right reference that nobody has


async def test_inclusion_is_proved_for_every_entry_and_size(house: House) -> None:
    await house.claim()
    stored = house.leaf_bytes()
    head = house.size()
    for size in (1, head // 2, head):
        root = root_from_peaks(await house.services.reader.run(partial(peaks_at, size=size)))
        for index in range(size):
            proof = await house.services.audit.inclusion(index, size)
            hashes = [base64.b64decode(item) for item in proof.hashes]
            verify_inclusion(leaf_hash(stored[index]), index, size, hashes, root)
    for index, size in ((head, head), (0, 0), (0, head + 1), (5, 5)):
        with pytest.raises(InvalidError):
            await house.services.audit.inclusion(index, size)


async def test_the_staff_are_offered_by_name(house: House) -> None:
    actors = (await house.services.audit.actors()).actors
    names = [one.name for one in actors]
    assert names == [*sorted(names[:-2], key=str.casefold), "Card provider", "System"]
    assert {"Thandi Mokoena", "Pieter Botha", "Ayesha Patel"} <= set(names)
    assert [one.actor for one in actors[-2:]] == ["gateway", "system"]
