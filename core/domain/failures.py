"""Why a card payment did not go through, and what a person is told to do about it.

One table: class of failure -> a plain message, the next step, and whether trying again makes sense.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class FailureClass(StrEnum):
    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    PROVIDER_DOWN = "provider_down"
    NETWORK = "network"
    CONFIGURATION = "configuration"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Failure:
    """What the student reads. `retry`: whether a new try by card may be offered right away."""

    message: str
    next_step: str
    retry: bool


_FAILURES: Mapping[FailureClass, Failure] = MappingProxyType(
    {
        FailureClass.DECLINED: Failure(
            "Your bank declined the card payment.",
            "Try again with another card, or ask your bank why.",
            retry=True,
        ),
        FailureClass.INSUFFICIENT_FUNDS: Failure(
            "There was not enough money on the card.",
            "Try again with another card, or once there is money on this one.",
            retry=True,
        ),
        FailureClass.EXPIRED_CARD: Failure(
            "The card has expired.",
            "Try again with a card that is still valid.",
            retry=True,
        ),
        FailureClass.PROVIDER_DOWN: Failure(
            "The card payment service does not work right now.",
            "Try again in a few minutes, or pay by EFT.",
            retry=True,
        ),
        FailureClass.NETWORK: Failure(
            "The card payment service could not be reached.",
            "Try again in a few minutes, or pay by EFT.",
            retry=True,
        ),
        FailureClass.CONFIGURATION: Failure(
            "Card payments are not set up rightly here. This is not your doing.",
            "Pay by EFT, or ask the finance office.",
            retry=False,
        ),
        FailureClass.DUPLICATE: Failure(
            "This payment was started before.",
            "Do not pay twice: wait a minute. If nothing changes, ask the finance office.",
            retry=False,
        ),
        FailureClass.UNKNOWN: Failure(
            "The card payment did not go through, and the reason is not known.",
            "If money left your account, do not pay again: ask the finance office. "
            "Otherwise try again.",
            retry=True,
        ),
    }
)


def explain(failure: FailureClass) -> Failure:
    """The plain words of one class of failure."""
    return _FAILURES[failure]
