"""What is said of decisions in queues that this console does not have open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.elsewhere import Behind, Elsewhere, banner_words
from core.client.connection import LIVE
from tests.console.fixtures import OpenOffice

_KEYRING = (
    "3 decisions wait in a queue that is sealed with this computer's keyring. Unlock the keyring"
    " and start Bursar again: they go out then."
)
_PASSPHRASE = (
    "1 decision waits in a queue that is sealed with your passphrase. Start Bursar again and give"
    " the passphrase: it goes out then."
)
_OTHERS = (
    "2 decisions of another officer wait in a queue that another Bursar console has open. Close"
    " that one and start Bursar again: they go out when that officer signs in."
)
_GONE = (
    "2 decisions wait in a queue that is sealed with a key that is gone. Look at the pending list,"
    " and decide again what is still open."
)

_TROUBLE = (
    "Decisions may wait in a queue that cannot be read now. Make sure that the disk has room and"
    " start Bursar again: they go out then."
)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Elsewhere(Behind.KEYRING, mine=3, others=0), _KEYRING),
        (Elsewhere(Behind.PASSPHRASE, mine=1, others=0), _PASSPHRASE),
        (Elsewhere(Behind.CONSOLE, mine=0, others=2), _OTHERS),
        (Elsewhere(Behind.NOTHING, mine=1, others=1), _GONE),
        (Elsewhere(Behind.TROUBLE, mine=0, others=0), _TROUBLE),
    ],
    ids=["keyring", "passphrase", "others", "gone", "trouble"],
)
def test_it_says_where_they_wait_and_the_way_out(found: Elsewhere, words: str) -> None:
    assert found.words == words


def test_the_banner_is_about_own_decisions_alone() -> None:
    mine = Elsewhere(Behind.KEYRING, mine=1, others=4)
    theirs = Elsewhere(Behind.PASSPHRASE, mine=0, others=2)
    assert banner_words((theirs,)) == ""
    assert banner_words((theirs, mine)) == mine.words
    uncounted = Elsewhere(Behind.TROUBLE, mine=0, others=0)  # perhaps own ones
    assert banner_words((theirs, uncounted)) == uncounted.words


async def test_the_outbox_and_the_banner_tell_of_it(opened: OpenOffice) -> None:
    found = (
        Elsewhere(Behind.KEYRING, mine=3, others=0),
        Elsewhere(Behind.CONSOLE, mine=0, others=2),
    )
    notices = opened.office.outbox.notices
    assert notices.isHidden()
    notices.show_elsewhere(found)
    assert notices.elsewhere == [_KEYRING, _OTHERS]
    assert not notices.isHidden()
    notices.show_notices(())
    notices.show_others(0)
    assert not notices.isHidden()  # nobody can read it away: it waits on

    opened.desk.entered = replace(opened.desk.entered, elsewhere=found)
    opened.office.connection_changed(LIVE)
    assert opened.office.shell.banner.text == _KEYRING
    opened.office.shell.banner._action.click()
    assert opened.office.shell.current == "outbox"
