"""Card payments with believable data, behind the port that the Payments screen asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from core.client.errors import ClientError
from core.domain.card_money import LateReason, LateState, LinkState, RefundState, Settlement
from core.domain.enrollment import AttemptStatus, EnrollmentStatus
from core.domain.failures import FailureClass, explain
from core.domain.references import make_reference
from core.domain.webhooks import AlertKind, DeliveryState
from core.protocol.messages import (
    CardAsked,
    CardAttempt,
    CardAttemptPage,
    LateMoneyPage,
    LateMoneyRow,
    RefundPage,
    RefundRow,
    SecurityAlertPage,
    SecurityAlertRow,
    WebhookDetail,
    WebhookPage,
    WebhookRow,
    WebhooksReplayed,
    WebhookStanding,
    WebhookTry,
)
from tests.console.house import COURSES, NOW

NAMES = ("Naledi Khumalo", "Sipho Dlamini", "Anika van der Merwe", "Thabo Mokoena",
         "Lerato Nkosi", "Christiaan Oosthuizen-Labuschagne")  # fmt: skip
PAGE = 100
Row = TypeVar("Row")


def ago(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def reference(number: int) -> str:
    digits = iter([(number + 5) * 7 // 23**place % 23 for place in range(7)])
    return make_reference(lambda _n: next(digits))


def enrollment(number: int) -> UUID:
    return UUID(int=100_000 + number)


def attempt(
    number: int,
    *,
    link: LinkState = LinkState.OPEN,
    status: AttemptStatus = AttemptStatus.OPEN,
    failure: FailureClass | None = None,
    word: str = "",
    asked: float | None = None,
) -> CardAttempt:
    """Smaller numbers are newer; `asked` minutes ago."""
    title, cents = COURSES[number % len(COURSES)]
    return CardAttempt(
        attempt=UUID(int=90_000 - number),
        enrollment=enrollment(number),
        reference=reference(number),
        student_name=NAMES[number % len(NAMES)],
        course_title=title,
        round=1,
        cents=cents,
        status=status,
        failure=failure,
        failure_message=explain(failure).message if failure else "",
        link_state=link,
        provider="ikhokha",
        link_id=None if link is LinkState.CREATING else f"lnk{number:06d}",
        word=word,
        created_at=NOW - ago(4 + 9 * number),
        asked_at=None if asked is None else NOW - ago(asked),
        next_ask_at=None if link is LinkState.PAID else NOW + ago(26),
    )


def attempts() -> list[CardAttempt]:
    failed = AttemptStatus.FAILED
    return [
        attempt(0, link=LinkState.CREATING),
        attempt(1, word="UNPAID", asked=2),
        attempt(2, link=LinkState.PAID, status=AttemptStatus.PAID, word="PAID", asked=16),
        attempt(3, status=failed, failure=FailureClass.DECLINED, word="UNPAID", asked=20),
        attempt(4, link=LinkState.PAID, status=failed, failure=FailureClass.NETWORK, word="PAID",
                asked=31),
        attempt(5, link=LinkState.GONE, asked=45),
        attempt(6, status=failed, failure=FailureClass.INSUFFICIENT_FUNDS, word="UNPAID", asked=50),
    ]  # fmt: skip


def late(
    number: int, reason: LateReason = LateReason.WRONG_AMOUNT, *, cents: int | None = 100_000
) -> LateMoneyRow:
    known = reason is not LateReason.UNKNOWN_TRANSACTION
    title = COURSES[number % len(COURSES)][0]
    return LateMoneyRow(
        id=UUID(int=80_000 - number),
        reason=reason,
        cents=cents,
        provider="ikhokha",
        link_id=f"lnk{number:06d}",
        found_at=NOW - ago(12 + 50 * number),
        attempt=UUID(int=90_000 - number) if known else None,
        enrollment=enrollment(number) if known else None,
        enrollment_status=EnrollmentStatus.PENDING if known else None,
        reference=reference(number) if known else None,
        student_name=NAMES[number % len(NAMES)] if known else None,
        course_title=title if known else None,
        state=LateState.OPEN,
    )


def settled(row: LateMoneyRow, how: Settlement = Settlement.REFUNDED) -> LateMoneyRow:
    return row.model_copy(
        update={
            "state": LateState.SETTLED,
            "how": how,
            "by_name": "Palesa Ndlovu",
            "at": NOW,
            "words": "Paid back at the provider on Monday.",
        }
    )


def late_ones() -> list[LateMoneyRow]:
    return [
        late(1),
        late(2, LateReason.NOT_PENDING, cents=450_000),
        late(3, LateReason.UNKNOWN_TRANSACTION, cents=None),
        settled(late(5, LateReason.ALREADY_PAID, cents=289_950)),
    ]


def refund(number: int, state: RefundState = RefundState.DUE) -> RefundRow:
    title, cents = COURSES[number % len(COURSES)]
    return RefundRow(
        attempt=UUID(int=90_000 - number),
        enrollment=enrollment(number),
        reference=reference(number),
        student_name=NAMES[number % len(NAMES)],
        course_title=title,
        cents=cents,
        state=state,
        opened_at=NOW - ago(60 * 5 * number),
        by_name="Pieter Botha",
        at=NOW - ago(60),
    )


def refunds() -> list[RefundRow]:
    return [refund(1), refund(2, RefundState.SENT), refund(4, RefundState.DONE),
            refund(5, RefundState.NOT_DUE)]  # fmt: skip


def delivery(
    number: int,
    state: DeliveryState = DeliveryState.DONE,
    *,
    outcome: str = "approved",
    message: str = "The payment is confirmed, and access is open.",
    tries: int = 1,
    success: bool | None = True,
    copies: int = 1,
) -> WebhookRow:
    known = outcome != "unreadable"
    waits = state is DeliveryState.WAITING
    return WebhookRow(
        id=UUID(int=70_000 - number),
        provider="ikhokha",
        received_at=NOW - ago(3 + 14 * number),
        success=success,
        code="" if not known else "00" if success else "05",
        link_id=f"lnk{number:06d}" if known else None,
        external_id=f"{UUID(int=90_000 - number)}" if known else None,
        copies=copies,
        last_at=NOW - ago(1),
        state=state,
        outcome=outcome,
        message=message,
        tries=tries,
        replays=0,
        next_try_at=NOW + ago(5) if waits else None,
        settled_at=None if waits else NOW - ago(2),
        enrollment=enrollment(number) if known else None,
        reference=reference(number) if known else None,
        student_name=NAMES[number % len(NAMES)] if known else None,
        course_title=COURSES[number % len(COURSES)][0] if known else None,
    )


def dead(number: int, outcome: str = "unreachable") -> WebhookRow:
    words = {
        "unreachable": "The card payment service could not be reached.",
        "unreadable": "This is rightly signed, but says nothing we know.",
    }[outcome]
    success = None if outcome == "unreadable" else True
    return delivery(number, DeliveryState.DEAD, outcome=outcome, message=words,
                    tries=7 if success else 1, success=success)  # fmt: skip


def deliveries() -> list[WebhookRow]:
    """Newest first, as the backend gives them."""
    return [
        delivery(0, DeliveryState.WAITING, outcome="", message="", tries=0),
        delivery(1),
        delivery(2, success=False, outcome="failed", message=explain(FailureClass.DECLINED).message,
                 copies=3),
        delivery(3, DeliveryState.WAITING, outcome="not_paid", tries=2,
                 message="It says paid, but the provider's status does not."),
        dead(4),
        delivery(5, outcome="already", message="This payment was confirmed before."),
        dead(6, "unreadable"),
    ]  # fmt: skip


def detail(row: WebhookRow) -> WebhookDetail:
    return WebhookDetail(
        row=row,
        body='{"paylinkID":"lnk000004","status":"SUCCESS","externalTransactionID":"…"}',
        tries=tuple(
            WebhookTry(n=n, at=NOW - ago(50 - 7 * n), outcome=row.outcome, message=row.message)
            for n in range(1, row.tries + 1)
        ),
    )


def alert(number: int, *, many: bool = False, minutes: float = 20) -> SecurityAlertRow:
    return SecurityAlertRow(
        id=UUID(int=60_000 - number),
        kind=AlertKind.BAD_SIGNATURE,
        address="203.0.113.7" if many else "198.51.100.23",
        first_at=NOW - ago(minutes + 30),
        last_at=NOW - ago(minutes),
        count=1_204 if many else 1,
        many=many,
        message="Many callbacks without a valid signature came from one address."
        if many
        else "A callback without a valid signature was refused.",
    )


@dataclass
class FakeTill:
    """A `PaymentsPort` that keeps what it is told; nothing came yet. `problem` fails whatever is
    asked while it is set; `gate`, where set, holds every answer back."""

    tried: list[CardAttempt] = field(default_factory=list)
    late: list[LateMoneyRow] = field(default_factory=list)
    owed: list[RefundRow] = field(default_factory=list)
    called: list[WebhookRow] = field(default_factory=list)
    refused: list[SecurityAlertRow] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    problem: ClientError | None = None
    gate: asyncio.Event | None = None

    def fill(self) -> None:
        """A busy day."""
        self.tried, self.late, self.owed = attempts(), late_ones(), refunds()
        self.called, self.refused = deliveries(), [alert(0, many=True), alert(1, minutes=180)]

    async def attempts(self, *, after: UUID | None = None) -> CardAttemptPage:
        await self._answer("attempts")
        rows, more = _page(self.tried, lambda row: row.attempt, after)
        return CardAttemptPage(rows=rows, next_after=more)

    async def ask_provider(self, attempt: UUID) -> CardAsked:
        await self._answer("ask", f"ask {attempt.int}")
        row = next(one for one in self.tried if one.attempt == attempt)
        paid = row.model_copy(
            update={
                "link_state": LinkState.PAID, "status": AttemptStatus.PAID, "word": "PAID",
                "asked_at": NOW, "next_ask_at": None, "failure": None, "failure_message": "",
            }
        )  # fmt: skip
        self.tried = [paid if one.attempt == attempt else one for one in self.tried]
        words = "The payment is confirmed, and access is open."
        return CardAsked(answer="approved", message=words, row=paid)

    async def late_money(
        self, *, after: UUID | None = None, open_only: bool = False
    ) -> LateMoneyPage:
        await self._answer("late money")
        kept = [row for row in self.late if not open_only or row.state is LateState.OPEN]
        rows, more = _page(kept, lambda row: row.id, after)
        return LateMoneyPage(rows=rows, next_after=more)

    async def settle_late_money(self, money: UUID, how: Settlement, words: str) -> LateMoneyRow:
        await self._answer("settle", f"settle {money.int} {how.value} {words}")
        done = settled(next(one for one in self.late if one.id == money), how)
        self.late = [done if one.id == money else one for one in self.late]
        return done

    async def refunds(self, *, after: UUID | None = None, open_only: bool = False) -> RefundPage:
        await self._answer("refunds")
        ended = {RefundState.DONE, RefundState.NOT_DUE}
        kept = [row for row in self.owed if not open_only or row.state not in ended]
        rows, more = _page(kept, lambda row: row.attempt, after)
        return RefundPage(rows=rows, next_after=more)

    async def refund_sent(self, attempt: UUID) -> RefundRow:
        return await self._move(attempt, RefundState.SENT)

    async def refund_done(self, attempt: UUID) -> RefundRow:
        return await self._move(attempt, RefundState.DONE)

    async def webhooks(
        self, *, after: UUID | None = None, state: DeliveryState | None = None
    ) -> WebhookPage:
        await self._answer("webhooks")
        kept = [row for row in self.called if state is None or row.state is state]
        rows, more = _page(kept, lambda row: row.id, after)
        return WebhookPage(rows=rows, next_after=more)

    async def webhook(self, delivery: UUID) -> WebhookDetail:
        await self._answer(f"webhook {delivery.int}")
        return detail(next(one for one in self.called if one.id == delivery))

    async def webhook_standing(self) -> WebhookStanding:
        await self._answer("standing")
        states = [row.state for row in self.called]
        waiting, gone = states.count(DeliveryState.WAITING), states.count(DeliveryState.DEAD)
        return WebhookStanding(waiting=waiting, dead=gone, refused=len(self.refused))

    async def alerts(self, *, after: UUID | None = None) -> SecurityAlertPage:
        await self._answer("alerts")
        rows, more = _page(self.refused, lambda row: row.id, after)
        return SecurityAlertPage(rows=rows, next_after=more)

    async def replay_webhooks(self, deliveries: Sequence[UUID]) -> WebhooksReplayed:
        await self._answer("replay", f"replay {' '.join(str(one.int) for one in deliveries)}")
        self.called = [
            row.model_copy(update={"state": DeliveryState.WAITING, "replays": row.replays + 1})
            if row.id in deliveries
            else row
            for row in self.called
        ]
        return WebhooksReplayed(index=1_300)

    async def _move(self, attempt: UUID, to: RefundState) -> RefundRow:
        await self._answer(to.value, f"{to.value} {attempt.int}")
        row = next(one for one in self.owed if one.attempt == attempt)
        moved = row.model_copy(update={"state": to, "by_name": "Palesa Ndlovu", "at": NOW})
        self.owed = [moved if one.attempt == attempt else one for one in self.owed]
        return moved

    async def _answer(self, asked: str, did: str = "") -> None:
        self.asked.append(asked)
        await asyncio.sleep(0)
        if self.gate is not None:
            await self.gate.wait()
        if self.problem is not None:
            raise self.problem
        if did:
            self.done.append(did)


def _page(
    rows: Iterable[Row], key: Callable[[Row], UUID], after: UUID | None
) -> tuple[tuple[Row, ...], UUID | None]:
    """Newest first by id, as the backend pages."""
    kept = sorted(rows, key=lambda row: -key(row).int)
    rest = [row for row in kept if after is None or key(row).int < after.int]
    page = rest[:PAGE]
    return tuple(page), key(page[-1]) if len(page) == PAGE else None
