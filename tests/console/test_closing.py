"""What is asked before the window closes, before signing out and before going elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.closing import (
    Risk,
    risk_of_closing,
    risk_of_going_elsewhere,
    risk_of_signing_out,
)


@pytest.mark.parametrize(
    ("sending", "lost", "title", "danger"),
    [
        (True, 0, "A decision is being sent", False),
        (True, 2, "2 decisions are not sent yet", True),
        (False, 1, "1 decision is not sent yet", True),
    ],
)
def test_closing_asks_only_about_what_is_at_stake(
    sending: bool, lost: int, title: str, danger: bool
) -> None:
    risk = risk_of_closing(sending=sending, lost=lost)
    assert risk is not None
    assert (risk.title, risk.danger) == (title, danger)
    assert ("is lost" in risk.text) is danger


def test_what_is_kept_or_sent_needs_no_question() -> None:
    assert risk_of_closing(sending=False, lost=0) is None
    for lasts in (True, False):
        assert risk_of_signing_out(waiting=0, lasts=lasts) is None
        assert risk_of_going_elsewhere(waiting=0, lasts=lasts) is None


@pytest.mark.parametrize(
    ("risk_of", "when", "yes"),
    [
        (risk_of_signing_out, "when you sign in again;", "Sign out"),
        (risk_of_going_elsewhere, "when you sign in to this backend again;", "Connect elsewhere"),
    ],
)
@pytest.mark.parametrize("lasts", [True, False])
def test_leaving_says_when_it_goes_out_and_whether_it_may_be_lost(
    risk_of: Callable[..., Risk | None], when: str, yes: str, lasts: bool
) -> None:
    for waiting, go in ((1, "It goes out"), (3, "They go out")):
        risk = risk_of(waiting=waiting, lasts=lasts)
        assert risk is not None
        assert risk.text.startswith(f"{go} {when}")
        assert ("lost if you close Bursar before" in risk.text) is not lasts
        assert ("until then nothing is lost" in risk.text) is lasts
        assert (risk.yes, risk.no, risk.danger) == (yes, "Stay", not lasts)
