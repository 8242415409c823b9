"""Small words that several screens use."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.domain.enrollment import PaymentMethod

_METHODS = {PaymentMethod.CARD: "Card", PaymentMethod.EFT: "EFT", PaymentMethod.MANUAL: "Manual"}


def method_words(method: PaymentMethod | None) -> str:
    return "Not chosen" if method is None else _METHODS[method]


def provider_words(name: str) -> str:
    """A card provider as people know it; a sandbox's own number says nothing to them."""
    return {"ikhokha": "iKhokha", "sandbox": "Sandbox"}.get(name.partition("-")[0], name)


def age_words(age: timedelta) -> str:
    """How long something waits, in one unit: `now`, `5 min`, `3 h`, `2 days`."""
    seconds = age.total_seconds()
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 86400:
        return f"{int(seconds // 3600)} h"
    days = int(seconds // 86400)
    return "1 day" if days == 1 else f"{days} days"


def whole(number: int) -> str:
    """`12345` -> `12 345`, with spaces that do not break."""
    return f"{number:,}".replace(",", "\u00a0")


def counted(number: int, one: str, many: str) -> str:
    """`counted(2, "decision", "decisions")` -> `2 decisions`."""
    return f"{whole(number)} {one if number == 1 else many}"


def when_words(at: datetime, now: datetime) -> str:
    """A moment as a person says it: `10:42` today, `Mon 10:42` this week, else the date too."""
    local, today = at.astimezone(), now.astimezone()
    days = (today.date() - local.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    if days == 1:
        return f"yesterday {local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d}"
