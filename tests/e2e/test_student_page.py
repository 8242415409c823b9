"""The student page in a real browser, against the real backend: signing in, paying, learning."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Route, expect

import resources
from core.domain.decisions import Verdict
from core.domain.enrollment import PaymentMethod
from core.domain.money import format_rand
from core.domain.references import is_valid, normalise
from tests.e2e.conftest import Person, School
from tests.support.browser import StudentPage
from tests.support.live_people import LiveStudent

SVG = "{http://www.w3.org/2000/svg}"
WAITING = "We are checking your payment. This page changes by itself."

SMALLEST_TEXT = """() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const sizes = [];
  while (texts.nextNode()) {
    const place = texts.currentNode.parentElement;
    if (texts.currentNode.data.trim() && place.checkVisibility())
      sizes.push(parseFloat(getComputedStyle(place).fontSize));
  }
  return Math.min(...sizes);
}"""
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.req("1.1", "1.2", "6.1", "6.2")
def test_a_visitor_registers_and_can_then_enroll(
    visitor: StudentPage, school: School, person: Person
) -> None:
    for course in school.courses:
        visitor.shows(course, "Register To Enroll")
    visitor.mark()
    visitor.sign_up(
        name=person.name, email=person.email, password=person.password, course=school.courses[0]
    )
    for course in school.courses:
        visitor.shows(course, "Enroll Now")
    expect(visitor.page.get_by_role("banner")).to_contain_text(person.name)
    expect(visitor.button(school.courses[0])).to_be_focused()
    assert visitor.same_page()


@pytest.mark.both_engines
@pytest.mark.req("1.3", "2.3", "2.4", "6.3")
def test_eft_from_enroll_now_to_pending_approval(
    student: StudentPage, school: School, course: str, registered: LiveStudent
) -> None:
    price = format_rand(student.view(course).price_cents)
    student.button(course).click()
    expect(student.dialog).to_contain_text(price)
    student.press("Enroll and see bank details")
    code = student.dialog.locator(".code")
    expect(code).to_be_visible()
    reference = code.inner_text()
    assert is_valid(reference)
    expect(student.dialog.locator("dl")).to_contain_text(price)
    assert student.dialog.locator(".qr").evaluate("image => image.decode().then(() => true)")
    assert school.waiting() == ()

    student.press("I have paid")
    student.shows(course, "Pending Approval", enabled=False)
    expect(student.card(course)).to_contain_text(WAITING)
    expect(student.dialog).to_have_count(0)
    (row,) = school.waiting()
    assert normalise(row.reference) == normalise(reference)
    assert (row.method, row.course_title) == (PaymentMethod.EFT, course)
    assert row.student.name == registered.name


@pytest.mark.both_engines
@pytest.mark.req("3.1", "3.4", "4.3", "6.4")
def test_an_approval_turns_the_card_and_opens_the_lessons(
    student: StudentPage, school: School, course: str
) -> None:
    student.pay(course)
    student.mark()
    school.decide(Verdict.APPROVE)
    student.shows(course, "Continue Course")
    announcer = student.page.locator("#announcer")
    expect(announcer).to_contain_text(f"{course}: Continue Course")
    student.button(course).click()
    expect(student.page.get_by_role("heading", name=course, level=1)).to_be_focused()
    expect(student.page.locator(".lesson").first).to_be_visible()
    student.page.get_by_role("link", name="All courses").click()
    student.shows(course, "Continue Course")
    assert student.same_page()


@pytest.mark.req("3.4")
def test_lessons_are_refused_until_the_payment_is_approved(
    student: StudentPage, school: School, course: str
) -> None:
    student.pay(course)
    student.page.goto(f"{school.url}/#/course/{student.view(course).course}")
    expect(student.page.get_by_role("heading", name="This course is not open")).to_be_visible()
    expect(student.page.locator(".lesson")).to_have_count(0)
    school.decide(Verdict.APPROVE)
    expect(student.page.locator(".lesson").first).to_be_visible()


def test_a_rejected_student_reads_why_and_can_enroll_again(
    student: StudentPage, school: School, course: str
) -> None:
    student.pay(course)
    school.decide(Verdict.REJECT)
    student.shows(course, "Enroll Now")
    expect(student.card(course)).to_contain_text("Your payment was not approved.")
    student.pay(course)


def test_an_unpaid_enrollment_shows_the_bank_details_again(
    student: StudentPage, course: str
) -> None:
    student.button(course).click()
    student.press("Enroll and see bank details")
    first = student.dialog.locator(".code").inner_text()
    student.press("Pay later")
    expect(student.dialog).to_have_count(0)
    expect(student.card(course)).to_contain_text("Your place is reserved.")
    student.page.reload()
    student.button(course).click()
    expect(student.dialog.locator(".code")).to_have_text(first)
    # Closed and opened again at once: the event of the closing comes after the opening.
    student.button(course).evaluate(
        "button => { document.querySelector('dialog[open]').close(); button.click(); }"
    )
    expect(student.dialog.locator(".code")).to_have_text(first)


def test_the_bank_details_can_be_copied(student: StudentPage, course: str) -> None:
    student.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    student.button(course).click()
    student.press("Enroll and see bank details")
    cents = student.view(course).price_cents
    wanted = {
        "Copy the reference": student.dialog.locator(".code").inner_text(),
        "Copy the amount": f"{cents // 100}.{cents % 100:02d}",
    }
    for button, text in wanted.items():
        student.press(button)
        expect(student.dialog.get_by_role("button", name=button)).to_contain_text("Copied")
        assert student.page.evaluate("navigator.clipboard.readText()") == text


@pytest.mark.req("7.4")
def test_while_a_payment_is_sent_the_button_says_so_and_sends_once(
    student: StudentPage, course: str
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    student.page.route("**/api/student/eft", hold)
    student.open_bank_details(course)
    student.press("I have paid")
    busy = student.dialog.get_by_role("button", name="Telling the finance office…")
    expect(busy).to_have_attribute("aria-busy", "true")
    expect(busy).to_be_focused()
    student.page.keyboard.press("Enter")
    student.until(lambda: held, what="the request")
    held[0].continue_()
    student.shows(course, "Pending Approval", enabled=False)
    assert len(held) == 1


def lose_first(keys: list[str], *, reaches_backend: bool) -> Callable[[Route], None]:
    """A network that loses the first request, or only the answer to it."""

    def handle(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 1:
            route.continue_()
            return
        if reaches_backend:
            route.fetch()
        route.abort()

    return handle


def test_a_retry_is_the_same_intent(student: StudentPage, course: str, school: School) -> None:
    keys: list[str] = []
    student.page.route("**/api/student/eft", lose_first(keys, reaches_backend=False))
    student.open_bank_details(course)
    student.press("I have paid")
    expect(student.dialog.get_by_role("alert")).to_contain_text("Nothing was lost")
    assert school.waiting() == ()
    student.press("I have paid")
    student.shows(course, "Pending Approval", enabled=False)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert len(school.waiting()) == 1


def test_a_lost_answer_is_caught_up_by_the_live_feed(
    student: StudentPage, course: str, school: School
) -> None:
    keys: list[str] = []
    student.page.route("**/api/student/enroll", lose_first(keys, reaches_backend=True))
    student.button(course).click()
    student.press("Enroll and see bank details")
    expect(student.dialog.locator(".code")).to_be_visible()
    student.press("I have paid")
    student.shows(course, "Pending Approval", enabled=False)
    assert len(keys) == 1
    assert len(school.waiting()) == 1


def test_a_failed_sign_up_keeps_what_was_typed(
    visitor: StudentPage, course: str, person: Person
) -> None:
    keys: list[str] = []
    visitor.page.route("**/api/student/sign-up", lose_first(keys, reaches_backend=False))
    visitor.button(course).click()
    visitor.press("Create account")
    expect(visitor.dialog).to_contain_text("Please write your name.")
    expect(visitor.dialog.get_by_label("Name")).to_be_focused()
    visitor.fill(Name=person.name, Email=person.email, Password=person.password)
    visitor.press("Create account")
    expect(visitor.dialog.get_by_role("alert")).to_be_visible()
    expect(visitor.dialog.get_by_label("Email")).to_have_value(person.email)
    expect(visitor.dialog.get_by_label("Password")).to_have_value(person.password)
    visitor.press("Create account")
    visitor.shows(course, "Enroll Now")
    assert keys[0] == keys[1]


def test_a_refusal_is_told_in_place_and_leads_on(
    visitor: StudentPage, course: str, registered: LiveStudent
) -> None:
    person = registered
    visitor.button(course).click()
    visitor.fill(Name=person.name, Email=person.email, Password=person.password)
    visitor.press("Create account")
    expect(visitor.dialog.get_by_role("alert")).to_be_visible()
    visitor.press("Sign in")
    expect(visitor.dialog.get_by_label("Email")).to_have_value(person.email)
    visitor.fill(Password="not the password")
    visitor.press("Sign in")
    expect(visitor.dialog.get_by_role("alert")).to_be_visible()
    visitor.fill(Password=person.password)
    visitor.press("Sign in")
    visitor.shows(course, "Enroll Now")
    expect(visitor.dialog).to_have_count(0)


def test_everything_can_be_done_with_the_keyboard(
    visitor: StudentPage, course: str, person: Person
) -> None:
    keyboard = visitor.page.keyboard
    visitor.button(course).focus()
    keyboard.press("Enter")
    for text in (person.name, person.email, person.password):
        keyboard.type(text)
        keyboard.press("Enter" if text == person.password else "Tab")
    visitor.shows(course, "Enroll Now")
    expect(visitor.button(course)).to_be_focused()
    keyboard.press("Enter")
    expect(visitor.dialog.get_by_role("radio")).to_be_focused()
    keyboard.press("Enter")
    expect(visitor.dialog.get_by_role("button", name="Copy the reference")).to_be_focused()
    keyboard.press("Escape")
    expect(visitor.dialog).to_have_count(0)
    expect(visitor.button(course)).to_be_focused()
    keyboard.press("Enter")
    expect(visitor.dialog.locator(".code")).to_be_visible()
    visitor.dialog.get_by_role("button", name="I have paid").focus()
    keyboard.press("Enter")
    visitor.shows(course, "Pending Approval", enabled=False)
    # A disabled button cannot hold the focus: its card does, and gives it back later.
    expect(visitor.card(course)).to_be_focused()


@pytest.mark.parametrize("width", [360, 1200])
def test_nothing_is_too_small_or_too_wide(student: StudentPage, course: str, width: int) -> None:
    def check() -> None:
        assert student.page.evaluate(SMALLEST_TEXT) >= 12
        assert not student.page.evaluate(TOO_WIDE)

    student.page.set_viewport_size({"width": width, "height": 640})
    check()
    student.open_bank_details(course)
    check()
    student.press("I have paid")
    student.shows(course, "Pending Approval", enabled=False)
    check()


def test_dark_follows_the_system(visitor: StudentPage) -> None:
    for scheme in ("dark", "light"):
        visitor.page.emulate_media(color_scheme=scheme)
        wanted = resources.load_tokens().palette(scheme).surface
        shown = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
        numbers = [int(number) for number in re.findall(r"\d+", shown)]
        assert "#" + "".join(f"{number:02x}" for number in numbers) == wanted


def test_amounts_read_as_in_the_console(visitor: StudentPage) -> None:
    amounts = [0, 5, 99, 100, 99_999, 100_000, 125_000, 123_456_789, 10_000_000_000]
    script = """async (amounts) => {
      const { formatRand } = await import("/static/money.js");
      return amounts.map(formatRand);
    }"""
    shown = visitor.page.evaluate(script, amounts)
    assert shown == [format_rand(cents) for cents in amounts]


def test_a_page_without_an_answer_tries_again(browser: Browser, school: School) -> None:
    with browser.new_context() as context:
        tab = StudentPage(context.new_page())
        tab.page.route("**/api/student/cards", lambda route: route.abort(), times=1)
        tab.page.goto(school.url)
        tab.shows(school.courses[0], "Register To Enroll")
        expect(tab.banner).to_be_hidden()


def test_the_icons_are_those_of_the_console() -> None:
    page = resources.path("student", "index.html").read_text(encoding="utf-8")
    sprite = re.findall(
        r'<symbol id="icon-([a-z0-9-]+)" viewBox="0 0 24 24">(.+?)</symbol>', page, re.DOTALL
    )
    assert sprite
    for name, drawing in sprite:
        icon = ET.parse(resources.path("icons", f"{name}.svg")).getroot()  # noqa: S314 - our file
        ours = ET.fromstring(f"<svg>{drawing}</svg>")  # noqa: S314 - our file
        assert [(part.tag.removeprefix(SVG), part.attrib) for part in icon] == [
            (part.tag, part.attrib) for part in ours
        ]
    used = {
        name
        for script in resources.path("student").glob("*.js")
        for name in re.findall(r'icon\("([a-z-]+)"', script.read_text(encoding="utf-8"))
    }
    assert used <= {name for name, _ in sprite}


def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline() -> None:
    for file in resources.path("student").iterdir():
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text.replace("}://${location.host}", ""), file.name
    page = resources.path("student", "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page)
