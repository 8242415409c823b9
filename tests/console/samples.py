"""Rows, details and outbox items as the console gets them; a desk that only notes what it does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from uuid import UUID

import httpx

from console.auditing import AuditPort
from console.entered import Entered
from core.client.api import Api
from core.client.device import DeviceKey
from core.client.errors import ClientError
from core.client.outbox import ItemKind, Outbox, OutboxItem, OutboxState
from core.client.secrets import Durability, MemoryStore
from core.client.session import SessionKeeper
from core.domain.course_card import CardLabel
from core.domain.decisions import ReasonCode, Verdict
from core.domain.enrollment import ClaimStatus, EnrollmentStatus, PaymentMethod, PaymentStatus
from core.domain.references import make_reference
from core.domain.roles import Role
from core.ledger.keys import SigningKey
from core.ledger.leaf import Leaf, encode
from core.protocol.messages import (
    AnswerKind,
    CardView,
    ClaimRow,
    DecisionAnswer,
    Device,
    DeviceState,
    EnrollmentDetail,
    EnrollmentRow,
    Signature,
    Student,
    TimelineEntry,
    User,
    Workspace,
)
from tests.console import house, till
from tests.console.posted import FakeQueue

NOW, ME, COURSES = house.NOW, house.ME, house.COURSES
OTHER = UUID(int=8)
THRESHOLD = 1_000_000
NAMES = (
    "Naledi Khumalo", "Sipho Dlamini", "Anika van der Merwe", "Thabo Mokoena", "Lerato Nkosi",
    "Priya Naidoo", "Johan Botha", "Zanele Mthembu", "Ayesha Patel", "Kagiso Molefe",
    "Bongani Zulu", "Christiaan Oosthuizen-Labuschagne",
)  # fmt: skip


def clock() -> datetime:
    return NOW


def reference(number: int) -> str:
    digits = iter([number // 23**place % 23 for place in range(7)])
    return make_reference(lambda _n: next(digits))


def row(
    number: int,
    *,
    version: int = 2,
    waiting: bool = True,
    age: timedelta | None = None,
    cents: int | None = None,
    claim_cents: int | None = None,
    signed_by: UUID | None = None,
    name: str | None = None,
    status: EnrollmentStatus = EnrollmentStatus.PENDING,
    by_name: str = "T. Mokoena",
) -> EnrollmentRow:
    """A believable row; the same number gives the same enrollment."""
    title, price = COURSES[number % len(COURSES)]
    owed = price if cents is None else cents
    submitted = NOW - (timedelta(minutes=7 * number) if age is None else age)
    student = name or NAMES[number % len(NAMES)]
    signature = (
        Signature(officer=signed_by, officer_name=by_name, at=NOW - timedelta(minutes=3))
        if signed_by
        else None
    )
    claim = ClaimRow(
        id=UUID(int=900_000 + number),
        method=PaymentMethod.EFT,
        status=ClaimStatus.WAITING if waiting else ClaimStatus.CLOSED,
        amount_cents=owed if claim_cents is None else claim_cents,
        submitted_at=submitted,
        first_signature=signature,
    )
    return EnrollmentRow(
        enrollment=UUID(int=100_000 + number),
        version=version,
        status=status,
        round=1,
        reference=reference(number),
        student=Student(
            id=UUID(int=500_000 + number),
            name=student,
            email=f"{student.split()[0].lower()}.{number}@example.org",
            salt="ab" * 16,
        ),
        course=UUID(int=1_000 + number % len(COURSES)),
        course_title=title,
        method=PaymentMethod.EFT,
        payment_status=PaymentStatus.PROCESSING if waiting else PaymentStatus.COMPLETED,
        amount_cents=owed,
        claim=claim,
        waiting=waiting,
        status_by=f"user:{OTHER}",
        status_by_name=by_name,
        status_at=NOW - timedelta(minutes=1),
        created_at=submitted - timedelta(hours=1),
    )


def rows(count: int) -> tuple[EnrollmentRow, ...]:
    return tuple(row(number) for number in range(count))


def approved(before: EnrollmentRow) -> EnrollmentRow:
    """The same enrollment after somebody approved it."""
    return before.model_copy(
        update={
            "version": before.version + 1,
            "status": EnrollmentStatus.APPROVED,
            "waiting": False,
        }
    )


def leaf(
    action: str,
    facts: dict[str, object] | None = None,
    *,
    minutes_ago: int = 10,
    before: int = 1,
    after: int = 2,
) -> str:
    return encode(
        Leaf(
            entry_id=UUID(int=42),
            time=NOW - timedelta(minutes=minutes_ago),
            actor=f"user:{OTHER}",
            device=None,
            action=action,
            subject=f"enrollment:{UUID(int=100_000)}",
            before=before,
            after=after,
            facts=facts or {},  # type: ignore[arg-type]  # the test's own facts are JSON
            signed=None,
        )
    ).decode()


def card(label: CardLabel = CardLabel.PENDING, course: str = COURSES[0][0]) -> CardView:
    """What the student sees of one course."""
    return CardView(
        course=UUID(int=1_000),
        title=course,
        summary="",
        price_cents=dict(COURSES)[course],
        label=label,
        action="wait" if label is CardLabel.PENDING else "continue",
        enabled=label is not CardLabel.PENDING,
        message="We are checking your payment. This page changes by itself.",
        version=2,
    )


def detail(of: EnrollmentRow) -> EnrollmentDetail:
    timeline = (
        TimelineEntry(
            index=1_201,
            leaf=leaf("enrollment.enrolled", minutes_ago=70),
            actor_name=of.student.name,
        ),
        TimelineEntry(
            index=1_214,
            leaf=leaf("claim.submitted", {"cents": of.amount_cents}, minutes_ago=8),
            actor_name=of.student.name,
        ),
    )
    return EnrollmentDetail(row=of, timeline=timeline, card=card(course=of.course_title))


def item(
    of: EnrollmentRow,
    *,
    state: OutboxState = OutboxState.QUEUED,
    verdict: Verdict = Verdict.APPROVE,
    n: int = 1,
    attempts: int = 0,
    code: str | None = None,
    message: str | None = None,
    age: timedelta = timedelta(),
    dismissed: bool = False,
) -> OutboxItem:
    """A decision of `age` about this row, as it was shown."""
    return OutboxItem(
        id=UUID(int=700_000 + n),
        officer=ME,
        device=UUID(int=70),
        n=n,
        enrollment=of.enrollment,
        verdict=verdict,
        payload=b"{}",
        signature=bytes(64),
        note=None,
        note_lost=False,
        state=state,
        attempts=attempts,
        not_before=NOW,
        reason_code=code,
        reason_message=message,
        answer=None,
        created_at=NOW - age,
        reference=of.reference,
        cents=of.claim.amount_cents if of.claim else of.amount_cents,
        shown=of,
        dismissed=dismissed,
    )


def withdrawal(of: OutboxItem, *, state: OutboxState = OutboxState.QUEUED) -> OutboxItem:
    """What discarding a decision makes beside it."""
    return replace(
        of,
        id=UUID(int=of.id.int + 50_000),
        kind=ItemKind.WITHDRAWAL,
        withdraws=of.id,
        state=state,
        answer=None,
        reason_code=None,
        reason_message=None,
        attempts=0,
        created_at=NOW,
        settled_at=None,
        dismissed=False,
    )


_STATES = {
    AnswerKind.ACCEPTED: OutboxState.ACCEPTED,
    AnswerKind.CONFLICT_DECIDED: OutboxState.CONFLICT,
    AnswerKind.CONFLICT_CHANGED: OutboxState.CONFLICT,
    AnswerKind.REFUSED: OutboxState.REFUSED,
}


def answered(
    before: OutboxItem,
    kind: AnswerKind,
    message: str = "",
    *,
    code: str = "",
    now: EnrollmentRow | None = None,
) -> OutboxItem:
    """The item after the backend's answer."""
    answer = DecisionAnswer(
        id=before.id, kind=kind, code=code or kind.value, message=message, index=9, row=now
    )
    return replace(before, state=_STATES[kind], answer=answer, settled_at=NOW)


def entered(
    *,
    demo: bool = True,
    enrolled: bool = True,
    outbox: Outbox | None = None,
    roles: tuple[Role, ...] = (Role.OFFICER,),
) -> Entered:
    """As after a sign-in, at a backend that nobody will call."""
    key = DeviceKey(UUID(int=70), ME, SigningKey(bytes(32)))
    keeper = SessionKeeper(MemoryStore(), "test")
    return Entered(
        address="http://127.0.0.1:1",
        embedded=demo,
        api=Api(httpx.AsyncClient(base_url="http://127.0.0.1:1", verify=False), keeper),  # noqa: S501 - never called
        officer=User(id=ME, name="Palesa Ndlovu", roles=roles),
        workspace=Workspace(
            name="Bursar Demo College",
            demo=demo,
            threshold_cents=THRESHOLD,
            checkpoint_name="bursar.test",
            checkpoint_key="",
        ),
        device=key,
        device_state=Device(
            id=key.id,
            user=ME,
            state=DeviceState.ENROLLED if enrolled else DeviceState.UNKNOWN,
            fingerprint=key.fingerprint,
            root=False,
            next_n=1,
        ),
        renew_key=partial(asyncio.sleep, 0),
        durability=Durability(remembered=True, message="Kept in the system keyring."),
        outbox=outbox,  # type: ignore[arg-type]  # windows never touch it
    )


def _no_entries() -> AuditPort:
    from tests.console.trail import Trail  # noqa: PLC0415 - its entries are made of rows from here

    return Trail()


@dataclass
class FakeDesk(FakeQueue):
    """Does what a desk promises to a window, without a backend."""

    entered: Entered = field(default_factory=entered)
    decided: list[tuple[EnrollmentRow, Verdict, ReasonCode | None, str | None]] = field(
        default_factory=list
    )
    asked: list[UUID] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    known: dict[UUID, EnrollmentRow] = field(default_factory=dict)
    problem: Exception | None = None
    happened: tuple[TimelineEntry, ...] = ()  # to every payment, after what `detail` tells
    audit: AuditPort = field(default_factory=_no_entries)
    administration: house.FakeHouse = field(default_factory=house.FakeHouse)
    account: house.FakeAccount = field(default_factory=house.FakeAccount)
    payments: till.FakeTill = field(default_factory=till.FakeTill)

    @cached_property
    def enrollment(self) -> house.FakeEnrollment:
        return house.FakeEnrollment(self.entered.device_state)

    def know(self, many: Sequence[EnrollmentRow]) -> None:
        self.known.update({one.enrollment: one for one in many})

    async def decide(
        self,
        row: EnrollmentRow,
        verdict: Verdict,
        *,
        reason: ReasonCode | None = None,
        note: str | None = None,
    ) -> OutboxItem:
        await asyncio.sleep(0)
        if self.problem is not None:
            raise self.problem
        self.decided.append((row, verdict, reason, note))
        return item(row, verdict=verdict, n=len(self.decided))

    async def decide_again(self, item: OutboxItem, row: EnrollmentRow) -> OutboxItem:
        again = await self.decide(row, item.verdict)
        await self.dismiss_item(item.id)
        return again

    async def detail(self, enrollment: UUID) -> EnrollmentDetail:
        await asyncio.sleep(0)
        self.asked.append(enrollment)
        if self.problem is not None:
            raise self.problem
        if enrollment not in self.known:
            raise ClientError("It is not there.")
        found = detail(self.known[enrollment])
        return found.model_copy(update={"timeline": (*found.timeline, *self.happened)})

    async def accept_first_contact(self) -> None:
        self.accepted.append("first contact")

    async def accept_alarm(self) -> None:
        self.accepted.append("alarm")

    async def close(self) -> None:
        await self.entered.api.aclose()

    def retry_now(self) -> None:
        self.accepted.append("retry")
