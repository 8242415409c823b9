"""The Payments screen: tabs, figures, pages, and rows that stay put while things change."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit

from console.views.payments.figures import Figures
from console.views.payments.screen import NAMES
from console.views.payments.webhooks import WebhooksSection
from core.client.connection import LIVE, LOST, OTHER_LEDGER
from core.client.errors import UnreachableError
from core.domain.card_money import RefundState
from core.domain.references import show_reference
from core.domain.roles import Role
from tests.console import till
from tests.console.views.payments.conftest import Opener
from tests.support.waiting import until

Key = Qt.Key


async def test_tabs_say_how_much_needs_somebody_and_so_does_the_rail(counter_of: Opener) -> None:
    async with counter_of() as counter:
        screen = counter.screen
        await until(lambda: counter.office.paying.figures.needs == 9, what="the figures")
        assert [screen.tabs.button(n).text() for n in range(5)] == [
            "Attempts", "Late money 3", "Refunds 2", "Webhooks 2", "Alerts 2",
        ]  # fmt: skip
        assert screen.tabs.button(1).accessibleName() == "Late money: 3 need somebody"
        (rail,) = [b for b in counter.office.shell._rail_buttons if b.badge]
        assert rail.badge == "9"
        assert rail.accessibleName() == (
            "Payments, 3 payments came late, 2 refunds are open, 2 dead letters, 2 alerts"
        )


async def test_alerts_that_were_looked_at_call_nobody_any_more(counter_of: Opener) -> None:
    async with counter_of() as counter:
        await until(lambda: counter.office.paying.figures.alerts == 2, what="the alerts")
        await counter.open("Alerts")
        await until(lambda: counter.office.paying.figures.alerts == 0, what="seen")
        counter.till.refused.append(till.alert(9, minutes=1))
        counter.screen.open_section("Attempts")
        counter.office.paying._look()
        await until(lambda: counter.office.paying.figures.alerts == 1, what="the new one")
        old = till.alert(10, minutes=60 * 25)
        counter.till.refused = [old]
        counter.office.paying._look()
        await until(lambda: counter.office.paying.figures.alerts == 0, what="yesterday's is past")


async def test_sections_are_chosen_by_key_and_by_click_also_where_they_are_empty(
    counter_of: Opener,
) -> None:
    async with counter_of(fill=False) as counter:
        shown = counter.window.focusWidget()
        assert shown is not None
        for number, key in enumerate((Key.Key_2, Key.Key_3, Key.Key_4, Key.Key_5, Key.Key_1)):
            focused = counter.window.focusWidget()
            assert focused is not None
            QTest.keyClick(focused, key)
            section = counter.section
            assert section.about.name == NAMES[(number + 1) % 5]
            await until(lambda: section._loaded, what="loaded")  # noqa: B023 - awaited at once
            assert section.empty.isVisible()
            assert section.empty.text.endswith((".", "house."))
        counter.screen.tabs.button(3).click()
        assert isinstance(counter.section, WebhooksSection)


async def test_rows_come_and_go_under_the_selection(counter_of: Opener) -> None:
    async with counter_of() as counter:
        rows = counter.till.tried
        await counter.choose(rows[3].attempt)
        counter.till.tried = [till.attempt(-1), *rows[:3], *rows[3:5]]
        counter.office.payments_changed()
        await until(lambda: counter.section.model.count == 6, what="the news")
        assert counter.section.table.current_key == rows[3].attempt
        counter.till.tried = rows[:3]
        counter.office.payments_changed()
        await until(lambda: counter.section.model.count == 3, what="the row gone")
        assert counter.section.record is None
        assert not counter.section.ways._held[1][1].isVisible()


async def test_what_is_not_seen_is_not_fetched_but_counted(counter_of: Opener) -> None:
    async with counter_of() as counter:
        counter.office.shell.open("pending")
        await until(lambda: not counter.office.paying._counting, what="nothing going on")
        counter.till.asked.clear()
        counter.till.owed[0] = till.refund(1, RefundState.DONE)
        counter.office.paying._look()
        await until(lambda: counter.office.paying.figures.refunds == 1, what="the figures")
        assert "attempts" not in counter.till.asked


async def test_nothing_is_asked_while_there_is_no_connection(counter_of: Opener) -> None:
    async with counter_of() as counter:
        await until(lambda: not counter.office.paying._counting, what="nothing going on")
        counter.office.connection_changed(LOST)
        counter.till.asked.clear()
        counter.office.paying._look()
        assert not counter.office.paying._counting
        counter.office.connection_changed(LIVE)
        await until(lambda: "attempts" in counter.till.asked, what="fetched again")
        assert counter.office.paying.figures.needs == 9


async def test_a_failure_is_told_in_place_and_old_rows_stay(counter_of: Opener) -> None:
    async with counter_of(fill=False) as counter:
        section = counter.section
        counter.till.problem = UnreachableError("The backend cannot be reached.")
        section.refresh()
        await until(lambda: "cannot be reached" in section.empty.text, what="the reason")
        counter.till.problem = None
        counter.till.fill()
        section.empty._button.click()
        await until(lambda: section.model.count == 7, what="the rows")
        counter.till.problem = UnreachableError("The backend cannot be reached.")
        section.refresh()
        await until(lambda: section.trouble.full_text.startswith("Not up to date"), what="why")
        assert section.model.count == 7
        counter.till.problem = None
        section.refresh()
        await until(lambda: section.trouble.full_text == "", what="up to date")


async def test_pages_are_fetched_one_at_a_time(counter_of: Opener) -> None:
    async with counter_of(fill=False) as counter:
        counter.till.tried = [till.attempt(number) for number in range(250)]
        section = counter.section
        section.refresh()
        await until(section.paging.isVisible, what="pages")
        assert (section.model.count, section.place.full_text) == (100, "Page 1, newest first")
        assert not section.newer.isEnabled()
        counter.press(Key.Key_Right, modifier=Qt.KeyboardModifier.AltModifier)
        await until(lambda: section.place.full_text.startswith("Page 2"), what="page 2")
        section.older.click()
        await until(lambda: section.model.count == 50, what="page 3")
        assert not section.older.isEnabled()
        # What stood on the last page is gone: back to the one before.
        counter.till.tried = counter.till.tried[:200]
        section.refresh()
        await until(lambda: section.place.full_text.startswith("Page 2"), what="page 2 again")
        assert section.model.count == 100
        section.newer.click()
        await until(lambda: section.place.full_text.startswith("Page 1"), what="page 1")


async def test_a_page_is_filtered_and_escape_leads_back(counter_of: Opener) -> None:
    async with counter_of() as counter:
        section = counter.section
        await counter.choose(counter.till.tried[1].attempt)
        counter.press(Key.Key_Slash)
        assert section.filter.hasFocus()
        QTest.keyClicks(section.filter, "mokoena")
        assert counter.words(3) == ["Thabo Mokoena"]
        section.filter.setText("nobody")
        assert section.empty.text == "Nothing on this page matches the filter."
        section.empty._button.click()
        assert section.model.rowCount() == 7
        assert section.record is not None
        counter.press(Key.Key_Escape)
        assert section.record is None


async def test_keys_of_the_pane_and_the_reference(counter_of: Opener) -> None:
    async with counter_of() as counter:
        row = counter.till.tried[1]
        await counter.choose(row.attempt)
        counter.press(Key.Key_C)
        assert QGuiApplication.clipboard().text() == show_reference(row.reference)
        counter.press(Key.Key_D)
        assert counter.section.pane.isHidden()
        counter.press(Key.Key_D)
        assert counter.section.pane.isVisible()


async def test_its_keys_do_nothing_elsewhere_nor_while_the_ledger_is_in_doubt(
    counter_of: Opener,
) -> None:
    async with counter_of() as counter:
        await counter.choose(counter.till.tried[1].attempt)
        commands = counter.office.commands
        ask = "attempts: ask the provider now"
        assert commands.named(ask).action.isEnabled()
        counter.office.connection_changed(OTHER_LEDGER)
        assert not commands.trigger(ask)
        counter.office.connection_changed(LIVE)
        assert commands.named(ask).action.isEnabled()
        counter.office.shell.open("pending")
        assert not commands.trigger(ask)
        assert not commands.trigger("payments refunds")


async def test_everything_has_a_name(counter_of: Opener) -> None:
    async with counter_of(Role.SUPERVISOR) as counter:
        for name in NAMES:
            section = await counter.open(name)
            key = section.model.key_at(0)
            assert key is not None
            await counter.choose(key)
            for kind in (QAbstractButton, QLineEdit):
                for widget in counter.screen.findChildren(kind):
                    named = widget.accessibleName() or getattr(widget, "text", lambda: "")()
                    inside = isinstance(widget.parent(), QLineEdit)
                    assert named or inside or not widget.isVisible(), widget


def test_figures_say_only_what_there_is() -> None:
    assert Figures().words == ""
    assert Figures(dead=1).words == "1 dead letter"
