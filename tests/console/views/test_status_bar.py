"""Every state of the status bar is an icon and words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from console.models.outbox import Standing
from console.theme import Theme
from console.views.status_bar import StatusBar
from core.client.connection import ConnectionState
from core.client.witness import WitnessState
from tests.console import samples
from tests.console.fixtures import witness_status

SINCE = f"{samples.NOW.astimezone():%H:%M}"


@pytest.fixture
def bar(theme: Theme) -> StatusBar:
    return StatusBar(theme, "Palesa Ndlovu")


@pytest.mark.parametrize(
    ("state", "offline", "words", "look"),
    [
        (ConnectionState.LIVE, False, "Live", ("wifi", "ok")),
        (ConnectionState.CONNECTING, False, "Connecting…", ("refresh-cw", "text_muted")),
        (
            ConnectionState.CONNECTING,
            True,
            f"Reconnecting, offline since {SINCE}",
            ("refresh-cw", "warn"),
        ),
        (ConnectionState.LOST, True, f"Offline since {SINCE}", ("wifi-off", "warn")),
        (ConnectionState.LOST, False, "Offline", ("wifi-off", "warn")),
        (ConnectionState.REFUSED, False, "Refused", ("unlink", "danger")),
        (ConnectionState.SIGNED_OUT, False, "Signed out", ("lock", "warn")),
        (ConnectionState.ALARM, False, "Stopped", ("shield-alert", "danger")),
    ],
)
def test_the_connection(
    bar: StatusBar, state: ConnectionState, offline: bool, words: str, look: tuple[str, str]
) -> None:
    bar.show_connection(state, "why", samples.NOW if offline else None)
    assert bar.connection.text == words
    assert bar.connection.icon == look
    assert bar.connection.toolTip() == "why"
    assert bar.connection.accessibleName() == words


def test_what_is_verified_and_not_saved_is_told(bar: StatusBar) -> None:
    bar.show_witness(replace(witness_status(), trouble="There is no room left."))
    assert bar.ledger.text == "Ledger verified to 12\u00a0345, not saved"
    assert bar.ledger.icon == ("shield-check", "warn")
    assert bar.ledger.toolTip().startswith("There is no room left. Verifying goes on")
    bar.show_witness(witness_status())
    assert bar.ledger.icon == ("shield-check", "ok")
    assert bar.ledger.toolTip() == ""


def test_the_ledger(bar: StatusBar) -> None:
    bar.show_witness(witness_status(WitnessState.NEW, verified_to=None))
    assert bar.ledger.text == "Ledger not verified yet"
    bar.show_witness(witness_status())
    assert bar.ledger.text == "Ledger verified to 12\u00a0345"
    bar.show_witness(witness_status(WitnessState.FIRST_CONTACT, verified_to=None))
    assert "compare" in bar.ledger.text
    bar.show_witness(witness_status(WitnessState.ALARM))
    assert bar.ledger.icon == ("shield-alert", "danger")


def waiting(count: int, minutes: int, *, held: bool = False) -> Standing:
    oldest = samples.NOW - timedelta(minutes=minutes)
    return Standing(waiting=count, oldest=oldest, held=held)


@pytest.mark.parametrize(
    ("standing", "stuck", "words", "look"),
    [
        (Standing(), True, "Outbox empty", ("send", "text_muted")),
        (waiting(1, 0), False, "1 waiting", ("send", "accent")),
        (waiting(1, 12), True, "1 waiting, 12 min", ("hourglass", "warn")),
        (waiting(3, 12), True, "3 waiting, oldest 12 min", ("hourglass", "warn")),
        (waiting(1200, 180, held=True), True, "1\u00a0200 waiting, oldest 3 h", ("lock", "warn")),
    ],
)
def test_the_outbox(
    bar: StatusBar, standing: Standing, stuck: bool, words: str, look: tuple[str, str]
) -> None:
    bar.show_outbox(standing, samples.NOW, stuck=stuck)
    assert (bar.outbox.text(), bar.outbox.drawing) == (words, look)
    assert bar.outbox.accessibleName() == words
    assert bar.needs.isHidden()


@pytest.mark.parametrize(("count", "words"), [(1, "1 needs you"), (2, "2 need you")])
def test_what_needs_the_officer_stands_out(bar: StatusBar, count: int, words: str) -> None:
    bar.show_outbox(Standing(needs_you=count), samples.NOW, stuck=False)
    assert (bar.outbox.text(), bar.needs.text()) == ("Nothing waits", words)
    assert bar.needs.drawing == ("circle-alert", "danger")
    asked: list[int] = []
    bar.outbox_wanted.connect(lambda: asked.append(1))
    bar.needs.click()
    bar.outbox.click()
    assert asked == [1, 1]
    bar.show_outbox(Standing(), samples.NOW, stuck=False)
    assert bar.needs.isHidden()
