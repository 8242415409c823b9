"""Devices: the fingerprint comes from the key itself, and nobody approves without comparing."""

from __future__ import annotations

from uuid import UUID

from PySide6.QtGui import QGuiApplication

from core.client.errors import UnreachableError
from core.ledger.keys import fingerprint
from core.protocol.messages import DeviceRequestRow
from tests.console import house
from tests.console.views.administration.conftest import Bureau
from tests.support.waiting import until


async def asked(bureau: Bureau, *requests: DeviceRequestRow) -> None:
    """These consoles wait, as the ledger tells."""
    bureau.house.requests = list(requests)
    bureau.office.house_changed()
    await until(lambda: bureau.screen.devices.waiting == len(requests), what="the requests")


async def test_a_request_is_told_wherever_the_administrator_is(bureau: Bureau) -> None:
    bureau.office.shell.open("pending")
    await asked(bureau, house.request())
    assert bureau.office.shell.banner.text == "A console waits to be enrolled."
    assert bureau.screen.tabs.button(1).accessibleName() == "Devices (1 waiting)"
    bureau.office.shell.banner._action.click()
    assert bureau.screen.devices.isVisible()


async def test_what_is_compared_is_what_would_be_signed_for(bureau: Bureau) -> None:
    bureau.screen.open_page("Devices")
    await asked(bureau, house.request())
    card = bureau.screen.devices.cards[0]
    assert card.fingerprint.text == fingerprint(house.public_key(22))
    card.fingerprint._copy.click()
    assert QGuiApplication.clipboard().text() == card.fingerprint.text
    assert not card.approve.isEnabled()
    card.compared.click()
    card.approve.click()
    await until(lambda: bureau.house.done == ["approve 4022"], what="the approval")
    await until(lambda: not bureau.screen.devices.cards, what="the card gone")
    assert "may sign now" in bureau.told


async def test_a_request_without_a_usable_key_cannot_be_approved(bureau: Bureau) -> None:
    bureau.screen.open_page("Devices")
    await asked(bureau, house.request().model_copy(update={"public_key": "AAAA"}))
    card = bureau.screen.devices.cards[0]
    assert not card.compared.isEnabled()
    assert not card.approve.isEnabled()
    assert "without a usable key" in card._words.text()


async def test_a_console_that_may_not_sign_itself_says_so(bureau: Bureau) -> None:
    bureau.house.why_not_sign = "This console is not enrolled itself."
    bureau.screen.open_page("Devices")
    await asked(bureau, house.request())
    card = bureau.screen.devices.cards[0]
    assert card._words.text() == bureau.house.why_not_sign
    assert not card.approve.isEnabled()
    page = bureau.screen.devices
    page.table.select_key(UUID(int=4_021))
    assert not page.revoke.isEnabled()
    assert page.revoke.toolTip() == bureau.house.why_not_sign


async def test_what_was_ticked_stays_when_another_console_asks(bureau: Bureau) -> None:
    bureau.screen.open_page("Devices")
    first, second = house.request(), house.request(26, "Zanele Mthembu")
    await asked(bureau, first)
    bureau.screen.devices.cards[0].compared.click()
    await asked(bureau, first, second)
    assert [card.compared.isChecked() for card in bureau.screen.devices.cards] == [True, False]


async def test_a_failed_approval_leaves_the_request(bureau: Bureau) -> None:
    bureau.screen.open_page("Devices")
    await asked(bureau, house.request())
    card = bureau.screen.devices.cards[0]
    card.compared.click()
    bureau.house.problem = UnreachableError("The backend cannot be reached.")
    card.approve.click()
    await until(lambda: "cannot be reached" in bureau.told, what="the reason")
    await until(card.approve.isEnabled, what="another try")


async def test_refusing_asks_first(bureau: Bureau) -> None:
    bureau.screen.open_page("Devices")
    await asked(bureau, house.request())
    bureau.screen.devices.cards[0].refuse.click()
    await bureau.answer(yes=False)
    assert bureau.house.done == []
    bureau.screen.devices.cards[0].refuse.click()
    await bureau.answer()
    await until(lambda: bureau.house.done == ["refuse 4022"], what="the refusal")


async def test_revoking_asks_first_and_is_final(bureau: Bureau) -> None:
    bureau.screen.open_page("Devices")
    page = bureau.screen.devices
    await until(lambda: page.model.count, what="the devices")
    page.table.select_key(UUID(int=4_021))
    page.revoke.click()
    await bureau.answer()
    await until(lambda: bureau.house.done == ["revoke 4021"], what="the revocation")
    await until(lambda: not page.revoke.isEnabled(), what="no second time")
    assert page.revoke.toolTip() == "It is revoked already."
