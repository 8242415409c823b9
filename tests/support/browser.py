"""A real Chromium for the student page, and the page as a person sees it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Locator,
    Page,
    expect,
    sync_playwright,
)

from core.protocol.messages import CardView
from tests.support.waiting import wait_until

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Without a sandbox, because tests may run as root in a container; the rest keeps the browser from
# looking for its maker's servers.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Playwright turns off what a browser keeps for its back button.
_NO_KEPT_PAGES = "--disable-back-forward-cache"
# The browser's own line for an answer of 4xx or 5xx, and for no answer.
_NETWORK = "Failed to load resource"
_SOCKET = "WebSocket connection to"
WAIT_MS = 10_000


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@contextmanager
def launched(executable: str) -> Iterator[Browser]:
    """A headless browser, closed at the end. Holds this thread's event loop meanwhile.

    It keeps pages for its back button, as people's browsers do. Playwright does not notice the
    return to such a page: go there by `history.back()`, and wait for what it shows.
    """
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=list(_FLAGS),
            ignore_default_args=[_NO_KEPT_PAGES],
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class StudentPage:
    """One tab on the student page. `problems`: what a clean run would not have printed."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def card(self, course: str) -> Locator:
        """The card of the course with this title."""
        title = self.page.get_by_role("heading", name=course, exact=True)
        return self.page.locator("course-card", has=title)

    def button(self, course: str) -> Locator:
        return self.card(course).get_by_role("button")

    def press(self, name: str) -> None:
        """Press the button with this name in the open dialog or, without one, on the page."""
        self.page.bring_to_front()  # a tab behind another is painted once a second only
        place: Page | Locator = self.dialog if self.dialog.count() else self.page
        place.get_by_role("button", name=name, exact=True).click()

    @property
    def dialog(self) -> Locator:
        return self.page.locator("dialog[open]")

    @property
    def banner(self) -> Locator:
        return self.page.locator("#offline")

    def fill(self, **fields: str) -> None:
        """Fill the fields of the open dialog by their labels: `fill(Email="a@example.com")`."""
        for label, text in fields.items():
            self.dialog.get_by_label(label, exact=True).fill(text)

    def sign_up(self, *, name: str, email: str, password: str, course: str) -> None:
        """From the visitor's card of `course` to a signed-in page."""
        self.page.bring_to_front()
        self.button(course).click()
        self.fill(Name=name, Email=email, Password=password)
        self.press("Create account")
        expect(self.dialog).to_have_count(0)

    def sign_in(self, *, email: str, password: str) -> None:
        self.page.bring_to_front()
        self.page.get_by_role("banner").get_by_role("button", name="Sign in").click()
        self.fill(Email=email, Password=password)
        self.press("Sign in")
        expect(self.dialog).to_have_count(0)

    def open_bank_details(self, course: str) -> None:
        """From Enroll Now, or from a reserved place, to where to pay."""
        self.page.bring_to_front()
        self.button(course).click()
        choose = self.page.get_by_role("button", name="Enroll and see bank details")
        code = self.dialog.locator(".code")
        expect(choose.or_(code)).to_be_visible()
        if choose.is_visible():
            choose.click()
        expect(code).to_be_visible()

    def pay(self, course: str) -> None:
        """From Enroll Now to Pending Approval, by EFT."""
        self.open_bank_details(course)
        self.press("I have paid")
        self.shows(course, "Pending Approval", enabled=False)

    def shows(self, course: str, label: str, *, enabled: bool = True) -> None:
        """Wait until the card's button says `label`."""
        button = self.button(course)
        expect(button).to_have_text(label)
        if enabled:
            expect(button).to_be_enabled()
        else:
            expect(button).to_be_disabled()

    def until(self, condition: Callable[[], object], *, what: str) -> None:
        """Wait for something that this test hears from the browser: a request, a message."""
        wait_until(lambda: self.page.evaluate("true") and condition(), what=what)

    def mark(self) -> None:
        """Leave a mark that a reload would wipe out; see `same_page`."""
        self.page.evaluate("window.neverReloaded = true")

    def same_page(self) -> bool:
        return bool(self.page.evaluate("window.neverReloaded === true"))

    def version(self, course: str) -> int:
        """The version of the card that is shown."""
        return int(self.card(course).get_attribute("data-version") or "-1")

    def view(self, course: str) -> CardView:
        """The card as the page holds it."""
        return CardView.model_validate(self.card(course).evaluate("element => element.card"))


def open_student_page(context: BrowserContext, url: str) -> StudentPage:
    """A new tab on the student page, with its cards there."""
    tab = StudentPage(context.new_page())
    watch(tab)
    tab.page.goto(url)
    expect(tab.page.locator("course-card").first).to_be_visible()
    return tab


def watch(tab: StudentPage) -> None:
    """Collect script errors, refusals of the content security policy, and unasked dialogs."""

    def console(message: ConsoleMessage) -> None:
        expected = message.text.startswith((_NETWORK, _SOCKET))
        if message.type in ("error", "warning") and not expected:
            tab.problems.append(message.text)

    def error(thrown: Error) -> None:
        tab.problems.append(str(thrown))

    def dialog(asked: Dialog) -> None:
        tab.problems.append(f"the page asked: {asked.message}")
        asked.dismiss()

    tab.page.on("console", console)
    tab.page.on("pageerror", error)
    tab.page.on("dialog", dialog)
