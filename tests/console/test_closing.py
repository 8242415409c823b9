"""What is asked before the window closes."""

from __future__ import annotations

import pytest

from console.closing import risk_of_closing


@pytest.mark.parametrize(
    ("sending", "waiting", "lasts", "title", "danger"),
    [
        (True, 1, True, "A decision is being sent", False),
        (True, 2, False, "2 decisions are not sent yet", True),
        (False, 1, False, "1 decision is not sent yet", True),
    ],
)
def test_closing_asks_only_about_what_is_at_stake(
    sending: bool,
    waiting: int,
    lasts: bool,
    title: str,
    danger: bool,
) -> None:
    risk = risk_of_closing(sending=sending, waiting=waiting, lasts=lasts)
    assert risk is not None
    assert (risk.title, risk.danger) == (title, danger)


@pytest.mark.parametrize(("waiting", "lasts"), [(0, True), (0, False), (5, True)])
def test_what_is_kept_or_sent_needs_no_question(
    waiting: int,
    lasts: bool,
) -> None:
    assert risk_of_closing(sending=False, waiting=waiting, lasts=lasts) is None
