"""Rand amounts as integer cents, written the way the house writes them: `R 1 250.00`."""

from __future__ import annotations

import re

# Far above any course price, far below what any storage column or JSON number can hold.
MAX_CENTS = 100_000_000_00

_AMOUNT = re.compile(
    r"(?:R[ \u00a0]*)?(\d{1,3}(?:[ \u00a0]\d{3}){1,3}|\d{1,12})(?:[.,](\d{2}))?", re.ASCII
)


class MoneyError(ValueError):
    """The text or number is not an amount we accept."""


def check_cents(cents: int) -> int:
    """`cents` itself if it is a whole number from 0 to MAX_CENTS.

    Raises MoneyError.
    """
    if type(cents) is not int or not 0 <= cents <= MAX_CENTS:
        raise MoneyError("An amount must be a whole number of cents, not negative and not absurd.")
    return cents


def format_rand(cents: int) -> str:
    """`125000` -> `R 1 250.00`. The spaces do not break, so that an amount stays on one line."""
    whole, rest = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{sign}R\u00a0{whole:,}.{rest:02d}".replace(",", "\u00a0")


def parse_rand(text: str) -> int:
    """`R 1 250.00`, `1250`, `1250,00` -> cents. Raises MoneyError; never guesses."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise MoneyError("Write the amount like 1250.00.")
    whole = re.sub(r"[ \u00a0]", "", match.group(1))
    return check_cents(int(whole) * 100 + int(match.group(2) or 0))
