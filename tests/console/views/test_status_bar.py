"""Every state of the status bar is an icon and words."""

from __future__ import annotations

import pytest

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


def test_the_ledger(bar: StatusBar) -> None:
    bar.show_witness(witness_status(WitnessState.NEW, verified_to=None))
    assert bar.ledger.text == "Ledger not verified yet"
    bar.show_witness(witness_status())
    assert bar.ledger.text == "Ledger verified to 12\u00a0345"
    bar.show_witness(witness_status(WitnessState.FIRST_CONTACT, verified_to=None))
    assert "compare" in bar.ledger.text
    bar.show_witness(witness_status(WitnessState.ALARM))
    assert bar.ledger.icon == ("shield-alert", "danger")


def test_the_outbox(bar: StatusBar) -> None:
    bar.show_outbox(0, stuck=False)
    assert bar.outbox.text == "Outbox empty"
    bar.show_outbox(1, stuck=False)
    assert (bar.outbox.text, bar.outbox.icon) == ("1 decision to send", ("send", "accent"))
    bar.show_outbox(2, stuck=True)
    assert (bar.outbox.text, bar.outbox.icon) == ("2 decisions to send", ("hourglass", "warn"))
