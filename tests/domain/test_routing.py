from __future__ import annotations

from uuid import UUID

import pytest

from core.domain.enrollment import PaymentMethod
from core.domain.roles import GATEWAY, SYSTEM, Role, staff, student
from core.domain.routing import MethodUnavailableError, PaymentMethodRouter

ROUTER = PaymentMethodRouter(offered=frozenset({PaymentMethod.EFT, PaymentMethod.MANUAL}))


@pytest.mark.parametrize(
    ("method", "needs_approval"), [("card", False), ("eft", True), ("manual", True)]
)
def test_only_a_card_needs_no_approval(method: str, needs_approval: bool) -> None:
    route = ROUTER.route(PaymentMethod(method))
    assert route.needs_approval is needs_approval
    assert route.method.value == method
    assert route.confirmed_by


def test_students_choose_among_what_is_offered_and_never_manual() -> None:
    assert ROUTER.route_for_student(PaymentMethod.EFT).needs_approval
    for method in (PaymentMethod.CARD, PaymentMethod.MANUAL):
        with pytest.raises(MethodUnavailableError, match=method.value):
            ROUTER.route_for_student(method)


@pytest.mark.parametrize(
    ("actor", "code"),
    [
        (student(UUID(int=1)), f"student:{UUID(int=1)}"),
        (staff(UUID(int=2), frozenset({Role.OFFICER})), f"user:{UUID(int=2)}"),
        (GATEWAY, "gateway"),
        (SYSTEM, "system"),
    ],
)
def test_how_the_ledger_names_an_actor(actor: object, code: str) -> None:
    assert actor.code == code  # type: ignore[attr-defined]  # pytest's parameters are objects


def test_staff_never_hold_the_roles_of_programs_or_students() -> None:
    assert staff(UUID(int=1), frozenset(Role)).roles == {
        Role.OFFICER,
        Role.SUPERVISOR,
        Role.ADMINISTRATOR,
    }
