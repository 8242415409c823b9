"""Start page, sign-in page, and what they say when something does not work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from console.theme import Theme
from console.views.sign_in import SignInPage, address_problem
from console.views.start import StartPage
from tests.support.windows import dressed


@pytest.fixture
def page(theme: Theme) -> Iterator[SignInPage]:
    made = SignInPage(theme)
    made.prepare(address="https://bursar.example.org", keyring="Nothing is remembered.")
    made.show()
    yield made
    made.deleteLater()


def test_sign_in_says_what_will_be_remembered_and_asks(page: SignInPage) -> None:
    asked: list[tuple[str, str, str]] = []
    page.wanted.connect(lambda *given: asked.append(given))
    assert page.keyring.text() == "Nothing is remembered."
    page.address.setText(" https://bursar.example.org/ ")
    QTest.keyClicks(page.email, "palesa@example.org")
    QTest.keyClicks(page.password, "correct horse")
    QTest.keyClick(page.password, Qt.Key.Key_Return)
    assert asked == [("https://bursar.example.org", "palesa@example.org", "correct horse")]
    assert not page.submit.isEnabled()  # nothing is sent twice
    page.tell_problem("You are not signed in", "Email or password is wrong.")
    assert page.submit.isEnabled()
    assert "Email or password is wrong." in page.notice.text


@pytest.mark.parametrize(
    ("email", "password", "problem"),
    [("", "x" * 8, "Write your email."), ("a@b", "", "Write your password.")],
)
def test_what_is_missing_is_named(
    page: SignInPage, email: str, password: str, problem: str
) -> None:
    asked: list[object] = []
    page.wanted.connect(lambda *given: asked.append(given))
    page.email.setText(email)
    page.password.setText(password)
    page.submit.click()
    assert asked == []
    assert problem in page.notice.text


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://bursar.example.org", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("http://bursar.example.org", False),
        ("bursar.example.org", False),
        ("ftp://bursar.example.org", False),
        ("https://", False),
        ("https://x:notaport", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_which_addresses_are_taken(address: str, good: bool) -> None:
    assert (address_problem(address) == "") is good


def test_the_way_back_is_there_only_where_there_is_one(page: SignInPage) -> None:
    asked: list[int] = []
    page.back_wanted.connect(lambda: asked.append(1))
    assert not page.back.isVisible()
    QTest.keyClick(page, Qt.Key.Key_Escape)
    assert asked == []
    page.prepare(address="", keyring="", can_go_back=True)
    QTest.keyClick(page, Qt.Key.Key_Escape)
    page.back.click()
    assert asked == [1, 1]


def test_the_demo_is_one_click_away(page: SignInPage) -> None:
    asked: list[int] = []
    page.demo_wanted.connect(lambda: asked.append(1))
    page.demo.click()
    assert asked == [1]


def test_start_tells_steps_and_failures_with_ways_out(theme: Theme) -> None:
    page = StartPage(theme)
    page.show()
    page.tell("Signing in…")
    assert page.text == "Signing in…"
    assert not page.again.isVisible()
    chosen: list[str] = []
    page.fail(
        "Bursar could not start",
        "The port is taken.",
        "a trace",
        again=lambda: chosen.append("again"),
        connect=lambda: chosen.append("connect"),
    )
    assert page.text == "The port is taken."
    assert page.details == "a trace"
    page.again.click()
    page.connect_other.click()
    assert chosen == ["again", "connect"]
    page.show_details.click()
    assert page._details.isVisible()
    page.deleteLater()


def test_the_window_asks_before_it_closes(theme: Theme) -> None:
    window, asked = dressed(theme), list[int]()
    window.close_wanted.connect(lambda: asked.append(1))
    page = StartPage(theme)
    window.show_page(page)
    window.show()
    window.close()
    assert asked == [1]
    assert window.isVisible()
    assert window.page is page
    window.end()
    assert not window.isVisible()
    window.deleteLater()
