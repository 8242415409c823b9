"""Rail, settings, banner, alarm, palette and help around the screens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit

from console.runtime.dialogs import ConfirmDialog
from console.theme_choice import ThemeChoice
from console.views.shell import COMPACT_BELOW
from console.views.shortcuts import CommandPalette, ShortcutSheet
from core.client.connection import LIVE, LOST, OTHER_LEDGER, REFUSED, SIGNED_OUT
from core.client.errors import SecretStoreError
from core.client.witness import WitnessState
from core.client.witness_file import AlarmKind, WitnessAlarm
from core.protocol.messages import DeviceState
from tests.console import samples
from tests.console.fixtures import OpenOffice, witness_status
from tests.support.waiting import until

Key = Qt.Key
ALARM = WitnessAlarm(
    AlarmKind.REWOUND, "The ledger is shorter than before.", samples.NOW, "evidence.json"
)


async def test_the_rail_opens_screens(opened: OpenOffice) -> None:
    shell = opened.office.shell
    assert shell.current == "pending"
    opened.office.commands.trigger("open settings")
    assert shell.current == "settings"
    shell._rail_buttons[0].click()
    assert shell.current == "pending"
    assert not shell.open("monitor")


async def test_the_rail_has_its_order_and_its_keys(opened: OpenOffice) -> None:
    shown = [(screen.title, screen.shortcut) for screen in opened.office.shell.screens]
    assert shown == [
        ("Pending", "Ctrl+1"),
        ("Outbox", "Ctrl+2"),
        ("Payments", "Ctrl+3"),
        ("Audit", "Ctrl+4"),
        ("Settings", "Ctrl+5"),
    ]


async def test_a_narrow_window_keeps_its_width_for_the_table(opened: OpenOffice) -> None:
    shell = opened.office.shell
    assert opened.window.width() < COMPACT_BELOW
    narrow = shell._rail.width()
    assert shell._demo.isVisible()
    opened.window.resize(COMPACT_BELOW + 100, 900)
    await until(lambda: shell._rail.width() > narrow)
    assert shell._workspace.full_text == "Bursar Demo College"
    assert shell._demo.text() == "Demo data"


async def test_the_connection_is_told_and_offline_has_a_time(opened: OpenOffice) -> None:
    office = opened.office
    office.connection_changed(LOST)
    since = f"{samples.NOW.astimezone():%H:%M}"
    assert office.shell.status.connection.text == f"Offline since {since}"
    assert office.settings.connection.shown["State"] == LOST.message
    office.connection_changed(LIVE)
    assert office.shell.status.connection.text == "Live"
    assert office.settings.connection.shown["State"] == "Live"


async def test_a_sign_in_that_ended_asks_for_a_new_one(opened: OpenOffice) -> None:
    asked: list[int] = []
    opened.office.connect_wanted.connect(lambda: asked.append(1))
    opened.office.connection_changed(SIGNED_OUT)
    assert "sign-in has ended" in opened.office.shell.banner.text
    opened.office.shell.banner._action.click()
    assert asked == [1]
    opened.office.connection_changed(LIVE)
    assert opened.office.shell.banner.text == ""


async def test_a_refusal_offers_to_try_again(opened: OpenOffice) -> None:
    opened.office.connection_changed(REFUSED)
    assert opened.office.shell.banner.text == REFUSED.message
    opened.office.shell.banner._action.click()
    assert opened.desk.accepted == ["retry"]


async def test_first_contact_shows_the_fingerprint_and_waits_for_a_person(
    opened: OpenOffice,
) -> None:
    office = opened.office
    office.witness_changed(witness_status(WitnessState.FIRST_CONTACT, verified_to=None))
    assert "3f9a 11c2" in office.shell.banner.text
    assert "verified" not in office.shell.status.ledger.text
    office.shell.open("settings")
    assert office.settings.accept.isVisible()
    office.settings.accept.click()
    await until(lambda: opened.desk.accepted == ["first contact"])
    office.witness_changed(witness_status())
    assert office.shell.banner.text == ""


async def test_an_alarm_blocks_everything_until_a_person_takes_it(opened: OpenOffice) -> None:
    office = opened.office
    row = samples.row(1)
    opened.bring(row, snapshot=True)
    await opened.select(row)
    office.witness_changed(witness_status(WitnessState.ALARM, alarm=ALARM))
    assert office.alarm.isVisible()
    assert office.alarm.geometry() == office.shell.rect()
    assert not office.pending.isEnabled()
    opened.press(Key.Key_A)
    assert opened.desk.decided == []
    office.alarm.copy.click()
    assert "The ledger is shorter than before." in QGuiApplication.clipboard().text()
    assert "evidence.json" in QGuiApplication.clipboard().text()
    office.alarm.accept.click()
    await until(lambda: opened.window.findChild(ConfirmDialog), what="the question")
    question = opened.window.findChild(ConfirmDialog)
    assert question is not None
    question.yes.click()
    await until(lambda: opened.desk.accepted == ["alarm"])
    office.witness_changed(witness_status())
    assert not office.alarm.isVisible()
    assert office.pending.isEnabled()


async def test_an_alarm_on_a_full_disk_says_that_there_is_no_file_yet(opened: OpenOffice) -> None:
    office = opened.office
    alarm, words = replace(ALARM, evidence=""), "no file yet: this computer's disk takes nothing"
    status = witness_status(WitnessState.ALARM, alarm=alarm)
    office.witness_changed(replace(status, trouble="There is no room left."))
    assert office.alarm.fields.shown["Both sides are kept in"] == words
    assert office.settings.ledger.shown["Evidence"] == words
    assert office.settings.ledger.shown["Not saved"].startswith("There is no room left. ")
    office.witness_changed(witness_status(WitnessState.ALARM, alarm=ALARM))
    assert office.alarm.fields.shown["Both sides are kept in"] == "evidence.json"
    assert "Not saved" not in office.settings.ledger.shown


async def test_a_feed_that_stops_for_another_ledger_stops_deciding(opened: OpenOffice) -> None:
    row = samples.row(1)
    opened.bring(row, snapshot=True)
    await opened.select(row)
    opened.office.connection_changed(OTHER_LEDGER)
    assert opened.office.shell.banner.text == OTHER_LEDGER.message
    opened.press(Key.Key_A)
    assert opened.desk.decided == []
    opened.office.connection_changed(LIVE)
    assert opened.office.pending.isEnabled()


async def test_an_old_list_is_called_old_until_the_connection_is_back(opened: OpenOffice) -> None:
    office, at = opened.office, samples.NOW - timedelta(minutes=12)
    office.list_as_of(at)
    office.connection_changed(LOST)
    assert f"Showing the list as of {at.astimezone():%H:%M}." in office.shell.banner.text
    office.shell.banner._action.click()
    assert opened.desk.accepted == ["retry"]
    office.list_as_of(None)
    office.connection_changed(LIVE)
    assert office.shell.banner.text == ""


async def test_settings_tell_this_consoles_facts(opened: OpenOffice) -> None:
    shown = opened.office.settings.console.shown
    assert opened.office.settings.fingerprint.text == opened.desk.entered.device.fingerprint
    assert shown["Keyring"] == "Kept in the system keyring."
    assert opened.office.settings.ledger.shown["Verified to entry"] == "12\u00a0345"
    opened.office.witness_changed(witness_status(WitnessState.ALARM, alarm=ALARM))
    assert opened.office.settings.ledger.shown["Evidence"] == "evidence.json"


async def test_appearance_can_be_chosen(opened: OpenOffice) -> None:
    wanted: list[ThemeChoice] = []
    opened.office.theme_wanted.connect(wanted.append)
    opened.office.settings.appearance.button(2).click()
    assert wanted == [ThemeChoice.DARK]
    opened.office.commands.trigger("theme")
    assert wanted == [ThemeChoice.DARK, ThemeChoice.DARK]  # after light, as it still is


async def test_the_sheet_lists_every_key(opened: OpenOffice) -> None:
    opened.press(Key.Key_F1)
    await until(lambda: opened.window.findChild(ShortcutSheet), what="the sheet")
    sheet = opened.window.findChild(ShortcutSheet)
    assert sheet is not None
    words = {label.text() for label in sheet.findChildren(QLabel)}
    for command in opened.office.commands.all():
        assert set(command.keys) <= words
    opened.press(Key.Key_Escape, sheet)
    await until(lambda: opened.window.findChild(ShortcutSheet) is None)


async def test_the_palette_finds_and_does(opened: OpenOffice) -> None:
    opened.office.commands.trigger("palette")
    await until(lambda: opened.window.findChild(CommandPalette), what="the palette")
    palette = opened.window.findChild(CommandPalette)
    assert palette is not None
    offered = [palette.list.item(n).text() for n in range(palette.list.count())]
    assert "Approve the payment" not in offered  # nothing is selected
    opened.type("go", palette.search)
    assert palette.list.count() == 5
    opened.press(Key.Key_Down, palette.search)
    opened.press(Key.Key_Down, palette.search)
    opened.press(Key.Key_Down, palette.search)
    opened.press(Key.Key_Down, palette.search)
    opened.press(Key.Key_Return, palette.search)
    await until(lambda: opened.office.shell.current == "settings")


async def test_nothing_found_in_the_palette_does_nothing(opened: OpenOffice) -> None:
    opened.office.commands.trigger("palette")
    await until(lambda: opened.window.findChild(CommandPalette), what="the palette")
    palette = opened.window.findChild(CommandPalette)
    assert palette is not None
    opened.type("zzz", palette.search)
    opened.press(Key.Key_Return, palette.search)
    assert palette.isVisible()
    opened.press(Key.Key_Escape, palette)
    await until(lambda: opened.window.findChild(CommandPalette) is None)


async def test_everything_that_can_be_pressed_or_typed_into_has_a_name(opened: OpenOffice) -> None:
    for kind in (QAbstractButton, QLineEdit):
        for widget in opened.window.findChildren(kind):
            named = widget.accessibleName() or getattr(widget, "text", lambda: "")()
            inside_a_text_box = isinstance(widget.parent(), QLineEdit)
            assert named or inside_a_text_box or not widget.isVisible(), widget


async def test_a_console_that_is_not_enrolled_says_so_until_it_is(opened: OpenOffice) -> None:
    office, enrollment = opened.office, opened.desk.enrollment
    waiting = enrollment.device.model_copy(update={"state": DeviceState.WAITING})
    enrolled, enrollment.device = enrollment.device, waiting
    office.device_changed(waiting)
    assert "Waiting for an administrator to enroll this console" in office.shell.banner.text
    assert "your decisions are held" in office.shell.banner.text
    assert opened.desk.entered.device.fingerprint in office.shell.banner.text
    assert "Decisions are held" in office.settings.console.shown["Key"]
    office.shell.banner._action.click()
    assert office.shell.current == "settings"
    enrollment.device = enrolled
    office.device_changed(enrolled)
    assert office.shell.banner.text == ""
    assert "What was held is being sent" in office.shell.toasts.text


async def test_a_refused_console_asks_again_by_a_click(opened: OpenOffice) -> None:
    office, enrollment = opened.office, opened.desk.enrollment
    enrollment.device = enrollment.device.model_copy(update={"state": DeviceState.REFUSED})
    office.device_changed(enrollment.device)
    office.shell.banner._action.click()
    await until(lambda: enrollment.asked == 1, what="the request")


async def test_a_revoked_console_makes_a_new_key_once_a_person_agreed(opened: OpenOffice) -> None:
    office, enrollment, renewed = opened.office, opened.desk.enrollment, []
    office.key_renewed.connect(lambda: renewed.append(enrollment.renewed))
    enrollment.device = enrollment.device.model_copy(update={"state": DeviceState.REVOKED})
    office.device_changed(enrollment.device)

    async def answer(*, yes: bool) -> None:
        office.shell.banner._action.click()
        await until(lambda: opened.window.findChild(ConfirmDialog), what="the question")
        question = opened.window.findChild(ConfirmDialog)
        assert question is not None
        (question.yes if yes else question.no).click()
        await until(lambda: not opened.window.findChild(ConfirmDialog), what="it gone")

    await answer(yes=False)
    enrollment.problem = SecretStoreError("The keyring is locked.")
    await answer(yes=True)
    await until(lambda: "keyring is locked" in office.shell.toasts.text, what="the problem")
    assert renewed == []
    enrollment.problem = None
    await answer(yes=True)
    await until(lambda: renewed == [1], what="the new key")


async def test_only_administrators_have_the_administration(opened: OpenOffice) -> None:
    assert not opened.office.shell.open("administration")
    opened.office.house_changed()  # no news for anybody else
