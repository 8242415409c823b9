"""Paying by card in a real browser: our real backend, the sandbox's pay page, signed callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from core.domain.decisions import Verdict
from core.domain.enrollment import AttemptStatus, EnrollmentStatus, PaymentStatus
from core.domain.failures import FailureClass, explain
from tests.backend.webhooks.till import Till
from tests.e2e.conftest import School
from tests.e2e.test_student_page import SMALLEST_TEXT, TOO_WIDE
from tests.support.browser import StudentPage, open_student_page
from tests.support.live_backend import LiveBackend
from tests.support.live_people import LiveStudent
from tests.support.live_template import Template

PROCESSING = "Your card payment is being processed."
CONFIRMING = "We are confirming your payment…"
CONFIRMED = "Your payment is confirmed."
LEFT = "You left the payment page."
MANUAL = "Ask for approval by a person"
CHECK = "**/api/student/card/check"


@pytest.fixture
def till(sqlite_template: Template, tmp_path: Path) -> Iterator[Till]:
    with Till(sqlite_template, tmp_path / "till") as opened:
        yield opened


@pytest.fixture
def school(till: Till) -> School:
    return School(till.backend, till.backend.device())


@pytest.fixture
def registered(till: Till) -> LiveStudent:
    return till.backend.student("Sipho Nkosi")


def state(tab: StudentPage) -> Locator:
    """How the payment stands, as the open dialog says."""
    return tab.dialog.locator(".state")


def to_pay_page(tab: StudentPage, till: Till, course: str) -> None:
    """From Enroll Now to the provider's page, in the same tab, by keyboard."""
    tab.page.bring_to_front()
    tab.button(course).focus()
    tab.page.keyboard.press("Enter")
    expect(tab.dialog.get_by_role("radio").first).to_be_focused()
    tab.page.keyboard.press("Enter")
    at_pay_page(tab, till)


def at_pay_page(tab: StudentPage, till: Till) -> None:
    tab.page.wait_for_url(f"{till.sandbox.address}/pay/*")
    assert tab.page.main_frame.child_frames == []


@pytest.mark.req("1.3", "1.4", "2.1", "2.2", "3.1", "3.3", "3.4", "7.4", "8.1")
def test_from_enroll_now_to_continue_course_by_card(
    student: StudentPage, till: Till, course: str, registered: LiveStudent
) -> None:
    other = open_student_page(student.page.context, till.backend.url)
    other.mark()
    # Nothing but the callback can bring the news, and not before it is let go.
    till.misbehave(hold=True)
    student.page.context.route(CHECK, lambda route: route.abort())
    to_pay_page(student, till, course)
    expect(other.card(course)).to_contain_text(PROCESSING)
    enrollment = till.enrollment(registered)
    assert enrollment.payment_status is PaymentStatus.PROCESSING
    student.page.locator("#pay").click()

    expect(state(student)).to_contain_text(CONFIRMING)
    expect(student.page).to_have_url(f"{till.backend.url}/")
    expect(student.dialog.get_by_role("button", name="payment page")).to_have_count(0)
    student.mark()
    till.backend.run(till.sandbox.callbacks.release())
    expect(state(student)).to_contain_text(CONFIRMED)
    expect(student.dialog.get_by_role("status")).to_contain_text(CONFIRMED)
    expect(state(student)).to_be_focused()
    for tab in (student, other):
        tab.shows(course, "Continue Course")
        assert tab.same_page()
    assert till.backend.pending().rows == ()  # a card needs nobody's approval
    approved = till.enrollment(registered)
    assert (approved.id, approved.status) == (enrollment.id, EnrollmentStatus.APPROVED)
    student.page.keyboard.press("Tab")
    student.page.keyboard.press("Enter")
    expect(student.page.get_by_role("heading", name=course, level=1)).to_be_focused()
    expect(student.page.locator(".lesson").first).to_be_visible()
    assert not other.problems


@pytest.mark.req("7.1", "7.2", "7.3", "8.2")
def test_a_failure_is_told_and_tried_again_and_at_last_a_person_looks(
    student: StudentPage, till: Till, school: School, course: str, registered: LiveStudent
) -> None:
    student.page.set_viewport_size({"width": 360, "height": 640})
    to_pay_page(student, till, course)
    failures = {
        "decline": FailureClass.DECLINED,
        "expired": FailureClass.EXPIRED_CARD,
        "no-money": FailureClass.INSUFFICIENT_FUNDS,
    }
    seen = set()
    for number, (button, failure) in enumerate(failures.items(), start=1):
        student.page.locator(f"#{button}").click()
        told = explain(failure)
        expect(state(student)).to_contain_text(told.message)
        expect(state(student)).to_contain_text(told.next_step)
        expect(student.dialog.get_by_role("status")).to_contain_text(told.message)
        expect(student.card(course)).to_contain_text(told.message)
        assert not student.page.evaluate(TOO_WIDE)
        assert student.page.evaluate(SMALLEST_TEXT) >= 12
        enrollment = till.enrollment(registered)
        assert enrollment.status is EnrollmentStatus.PENDING
        assert enrollment.attempts_of_round()[-1].failure == failure
        seen.add(enrollment.id)
        expect(student.dialog.get_by_role("button", name=MANUAL)).to_have_count(int(number == 3))
        if number < 3:
            student.press("Try again by card")
            at_pay_page(student, till)
    assert len(seen) == 1
    assert [a.status for a in till.enrollment(registered).attempts] == [AttemptStatus.FAILED] * 3

    student.press(MANUAL)
    student.shows(course, "Pending Approval", enabled=False)
    expect(student.dialog).to_have_count(0)
    school.decide(Verdict.APPROVE)
    student.shows(course, "Continue Course")


@pytest.mark.req("7.3")
def test_leaving_the_pay_page_and_changing_ones_mind(
    student: StudentPage, till: Till, school: School, course: str, registered: LiveStudent
) -> None:
    student.mark()
    to_pay_page(student, till, course)
    # The browser gives back the page as it was: it looks again by itself.
    student.page.evaluate("history.back()")
    expect(state(student)).to_contain_text(LEFT)
    assert student.same_page()
    student.page.context.set_offline(offline=True)
    expect(student.dialog.get_by_text("You are offline.")).to_be_visible()
    student.press("Go on to the payment page")
    expect(student.dialog.get_by_role("alert")).to_contain_text("Nothing was lost")
    student.page.context.set_offline(offline=False)
    expect(student.dialog.get_by_text("You are offline.")).to_be_hidden()

    student.press("Pay by EFT instead")
    expect(student.dialog.locator(".code")).to_be_visible()
    expect(student.dialog).to_contain_text("do not pay twice")
    student.press("Pay by card")
    at_pay_page(student, till)
    student.page.locator("#leave").click()
    expect(state(student)).to_contain_text(LEFT)
    expect(student.page).to_have_url(f"{till.backend.url}/")
    (attempt,) = till.enrollment(registered).attempts  # the same page of the provider
    assert attempt.status is AttemptStatus.OPEN

    student.page.reload()  # what was said once is not said again
    expect(student.card(course)).to_contain_text(PROCESSING)
    expect(student.dialog).to_have_count(0)
    student.button(course).click()
    expect(state(student)).to_contain_text(CONFIRMING)
    student.press("Pay by EFT instead")
    student.press("I have paid")
    student.shows(course, "Pending Approval", enabled=False)
    school.decide(Verdict.APPROVE)
    student.shows(course, "Continue Course")


@pytest.mark.req("2.1", "2.2")
def test_who_comes_back_elsewhere_signs_in_and_sees_the_payment(
    browser: Browser, till: Till, course: str, registered: LiveStudent
) -> None:
    link = till.enroll(registered)
    till.misbehave(copies=0)  # no callback ever comes: coming back is enough
    till.backend.run(_pay(till, link.id))
    with browser.new_context() as elsewhere:
        tab = open_student_page(elsewhere, link.success_url)
        expect(tab.dialog).to_contain_text("Please sign in to see what became of your payment.")
        expect(tab.page).to_have_url(f"{till.backend.url}/")
        tab.fill(Email=registered.email, Password=registered.password)
        tab.press("Sign in")
        expect(state(tab)).to_contain_text(CONFIRMED)
        tab.press("Continue Course")
        expect(tab.page.get_by_role("heading", name=course, level=1)).to_be_visible()
        assert tab.page.evaluate("sessionStorage.length + localStorage.length") == 0
        assert not tab.problems


async def _pay(till: Till, link: str) -> None:
    till.sandbox.pay(link)


def test_a_house_that_is_not_real_says_so_and_each_offers_what_it_takes(
    browser: Browser, till: Till, registered: LiveStudent, live_backend: LiveBackend
) -> None:
    play = till.backend.services.workspace.set(
        name="Play", demo=True, threshold_cents=None,
        bank="", account_name="", account_number="", branch_code="",
    )  # fmt: skip
    till.backend.run(play)
    with signed_in(browser, registered) as tab:
        expect(tab.page.locator("#house")).to_contain_text("This is a demo")
        expect(tab.page.locator("#house")).to_contain_text("moves no real money")
        assert methods(tab, till.backend.courses[0].title) == ["card"]
    with signed_in(browser, live_backend.student()) as tab:
        expect(tab.page.locator("#house")).to_be_hidden()
        assert methods(tab, live_backend.courses[0].title) == ["eft"]


@contextmanager
def signed_in(browser: Browser, student: LiveStudent) -> Iterator[StudentPage]:
    with browser.new_context() as context:
        cookie = {"name": "bursar_session", "value": student.token, "url": student.origin}
        context.add_cookies([cookie])  # type: ignore[list-item]  # its type wants every key
        yield open_student_page(context, student.origin)


def methods(tab: StudentPage, course: str) -> list[str]:
    """What the dialog offers to pay with."""
    tab.shows(course, "Enroll Now")
    tab.button(course).click()
    radios = tab.dialog.get_by_role("radio")
    return [str(radio.get_attribute("value")) for radio in radios.all()]


WATCH = """async () => {
  const { CardWatch } = await import("/static/card-watch.js");
  window.asked = [];
  const begun = Date.now();
  window.watch = new CardWatch({
    check: async (course) => window.asked.push([course, (Date.now() - begun) / 1000]),
  });
  const card = (course, payment) => ({ course, action: "pay", payment });
  window.open = [card("a", "processing"), card("b", "pending"), card("c", "failed")];
  window.watch.follow(window.open);
}"""


def test_the_provider_is_asked_with_growing_waits_while_somebody_looks(
    browser: Browser, live_backend: LiveBackend
) -> None:
    def asked(after: str, seconds: int) -> list[tuple[str, float]]:
        page.evaluate(f"asked.length = 0; {after}")
        page.clock.run_for(seconds * 1000)
        return [(course, at) for course, at in page.evaluate("asked")]

    with browser.new_context() as context:
        page = context.new_page()
        page.clock.install(time=0)
        page.goto(live_backend.url)
        page.clock.pause_at(1_000_000)
        page.evaluate(WATCH)
        times = [at for course, at in asked("", 3_600) if course == "a"]
        wanted = [10.0, 25.0, 47.5, 81.25, 131.875, 191.875]
        assert times[:6] == pytest.approx(wanted, abs=0.01)
        assert len(times) == 20  # and then no more
        assert asked("watch.follow(open)", 3_600) == []
        again = asked("watch.hurry()", 60)
        assert [at for _, at in again] == pytest.approx([7_200, 7_215, 7_237.5], abs=0.01)
        assert asked("watch.rest()", 3_600) == []
        assert len(asked("watch.hurry()", 0)) == 1
        assert asked("watch.follow([])", 3_600) == []
