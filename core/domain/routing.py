"""`PaymentMethodRouter`: card, EFT and manual payments told apart by one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from core.domain.enrollment import PaymentMethod


@dataclass(frozen=True, slots=True)
class Route:
    """How a method is confirmed, and whether a person has to approve it."""

    method: PaymentMethod
    needs_approval: bool
    confirmed_by: str


_ROUTES: Mapping[PaymentMethod, Route] = MappingProxyType(
    {
        PaymentMethod.CARD: Route(PaymentMethod.CARD, False, "the card provider"),  # noqa: FBT003
        PaymentMethod.EFT: Route(PaymentMethod.EFT, True, "a finance officer"),  # noqa: FBT003
        PaymentMethod.MANUAL: Route(PaymentMethod.MANUAL, True, "a finance officer"),  # noqa: FBT003
    }
)


class MethodUnavailableError(ValueError):
    """The method exists but is not offered here, or not to this person."""


@dataclass(frozen=True, slots=True)
class PaymentMethodRouter:
    """`offered` is what students may choose in this workspace; manual is never theirs to choose."""

    offered: frozenset[PaymentMethod]

    def route(self, method: PaymentMethod) -> Route:
        return _ROUTES[method]

    def route_for_student(self, method: PaymentMethod) -> Route:
        """Raises MethodUnavailableError."""
        if method is PaymentMethod.MANUAL or method not in self.offered:
            raise MethodUnavailableError(f"Paying by {method.value} is not offered here.")
        return _ROUTES[method]
