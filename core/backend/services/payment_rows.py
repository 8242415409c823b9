"""Card payments, late money and refunds as rows for staff."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from core.backend.services.rows import Rows, actor_name
from core.backend.storage.payment_records import CardLink, LateMoney, Refund
from core.backend.storage.queries import Bundle
from core.domain.course_card import explain_code, failure_class
from core.domain.enrollment import AttemptStatus
from core.protocol.messages import CardAttempt, LateMoneyRow, RefundRow


def attempt_row(link: CardLink, bundle: Bundle, rows: Rows) -> CardAttempt:
    """One try and its link."""
    tried = next(a for a in bundle.enrollment.attempts if a.id == link.attempt)
    failed = tried.status is AttemptStatus.FAILED
    return CardAttempt(
        attempt=link.attempt,
        enrollment=link.enrollment,
        reference=bundle.enrollment.reference,
        student_name=rows.person(bundle.student).name,
        course_title=bundle.course.title,
        round=tried.round,
        cents=link.cents,
        status=tried.status,
        failure=failure_class(tried.failure) if failed else None,
        failure_message=explain_code(tried.failure).message if failed else "",
        link_state=link.state,
        provider=link.provider,
        link_id=link.link_id,
        word=link.word,
        created_at=link.created_at,
        asked_at=link.asked_at,
        next_ask_at=link.next_ask_at,
    )


def late_row(
    money: LateMoney,
    bundle: Bundle | None,
    rows: Rows,
    *,
    names: Mapping[UUID, str],
    words: str | None,
) -> LateMoneyRow:
    """Money that fits nothing; `bundle` None where it names no enrollment of ours."""
    return LateMoneyRow(
        id=money.id,
        reason=money.reason,
        cents=money.cents,
        provider=money.provider,
        link_id=money.link_id,
        found_at=money.found_at,
        attempt=money.attempt,
        enrollment=money.enrollment,
        enrollment_status=bundle.enrollment.status if bundle else None,
        reference=bundle.enrollment.reference if bundle else None,
        student_name=rows.person(bundle.student).name if bundle else None,
        course_title=bundle.course.title if bundle else None,
        state=money.state,
        how=money.how,
        by_name=actor_name(money.by, names, "") if money.by else None,
        at=money.at,
        words=words,
    )


def refund_row(
    refund: Refund, bundle: Bundle, rows: Rows, *, names: Mapping[UUID, str]
) -> RefundRow:
    """Money to give back."""
    return RefundRow(
        attempt=refund.attempt,
        enrollment=refund.enrollment,
        reference=bundle.enrollment.reference,
        student_name=rows.person(bundle.student).name,
        course_title=bundle.course.title,
        cents=refund.cents,
        state=refund.state,
        opened_at=refund.opened_at,
        by_name=actor_name(refund.by, names, ""),
        at=refund.at,
    )
