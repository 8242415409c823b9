"""Every tab, browser and device of a student agrees, and catches up after being offline."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, WebSocketRoute, expect

from core.domain.decisions import Verdict
from core.protocol.messages import CardView, StudentCard, StudentCards, StudentSelf
from tests.e2e.conftest import Person, School
from tests.support.browser import StudentPage, open_student_page
from tests.support.live_people import LiveStudent

FEED = "**/live/student"
OFFLINE = "You are offline. This page catches up by itself."

RECORD_LABELS = """() => {
  window.labels = [];
  const note = () => window.labels.push(document.querySelector("course-card button").textContent);
  new MutationObserver(note).observe(document.querySelector("#cards"), {
    subtree: true, childList: true, characterData: true, attributes: true,
  });
}"""


@pytest.mark.both_engines
@pytest.mark.req("3.1", "3.3", "4.3")
def test_every_tab_and_device_shows_the_same(
    browser: Browser,
    student: StudentPage,
    school: School,
    course: str,
    registered: LiveStudent,
) -> None:
    second_tab = open_student_page(student.page.context, school.url)
    with browser.new_context() as elsewhere:
        device = open_student_page(elsewhere, school.url)
        device.sign_in(email=registered.email, password=registered.password)
        everywhere = (student, second_tab, device)
        for tab in everywhere:
            tab.shows(course, "Enroll Now")
            tab.mark()
        student.pay(course)
        for tab in everywhere:
            tab.shows(course, "Pending Approval", enabled=False)
        school.decide(Verdict.APPROVE)
        for tab in everywhere:
            tab.shows(course, "Continue Course")
            assert tab.same_page()
        assert {tab.version(course) for tab in everywhere} == {student.version(course)}
        assert not device.problems + second_tab.problems


@pytest.mark.req("3.3")
@pytest.mark.parametrize("without", ["", "delete window.BroadcastChannel"])
def test_tabs_tell_each_other_without_the_backend(
    visitor: StudentPage, school: School, course: str, person: Person, without: str
) -> None:
    context = visitor.page.context
    context.add_init_script(without)
    visitor.page.reload()
    visitor.sign_up(name=person.name, email=person.email, password=person.password, course=course)
    deaf = StudentPage(context.new_page())
    deaf.page.route_web_socket(FEED, lambda _: None)
    deaf.page.goto(school.url)
    deaf.shows(course, "Enroll Now")
    visitor.pay(course)
    deaf.shows(course, "Pending Approval", enabled=False)
    school.decide(Verdict.APPROVE)
    deaf.shows(course, "Continue Course")
    assert deaf.page.evaluate("localStorage.length") == 0


def test_signing_out_and_in_is_followed_by_the_other_tabs(
    student: StudentPage, school: School, course: str, registered: LiveStudent
) -> None:
    other = open_student_page(student.page.context, school.url)
    other.shows(course, "Enroll Now")
    other.open_bank_details(course)
    student.press("Sign out")
    for tab in (student, other):
        tab.shows(course, "Register To Enroll")
        expect(tab.dialog).to_have_count(0)
        expect(tab.page.get_by_text(registered.name)).to_have_count(0)
    other.sign_in(email=registered.email, password=registered.password)
    for tab in (student, other):
        tab.shows(course, "Enroll Now")
        expect(tab.page.get_by_role("banner")).to_contain_text(registered.name)


def test_a_session_that_ended_elsewhere_shows_a_visitor_page(
    student: StudentPage, school: School, course: str
) -> None:
    signed_out = student.page.context.request.post(f"{school.url}/api/student/sign-out")
    assert signed_out.status == 204
    student.shows(course, "Register To Enroll")


@pytest.mark.req("3.1")
def test_an_offline_browser_says_so_and_catches_up(
    student: StudentPage, school: School, course: str
) -> None:
    student.pay(course)
    student.mark()
    expect(student.banner).to_be_hidden()
    student.page.context.set_offline(offline=True)
    expect(student.banner).to_have_text(OFFLINE)
    school.decide(Verdict.APPROVE)
    assert student.button(course).inner_text() == "Pending Approval"
    student.page.context.set_offline(offline=False)
    student.shows(course, "Continue Course")
    expect(student.banner).to_be_hidden()
    assert student.same_page()


def test_a_backend_that_went_away_is_waited_for(
    student: StudentPage, school: School, course: str
) -> None:
    student.open_bank_details(course)
    with school.offline():
        expect(student.banner).to_have_text(OFFLINE)
        student.press("I have paid")
        expect(student.dialog.get_by_role("alert")).to_contain_text("Nothing was lost")
    expect(student.banner).to_be_hidden()
    student.press("I have paid")
    student.shows(course, "Pending Approval", enabled=False)
    school.decide(Verdict.APPROVE)
    student.shows(course, "Continue Course")


def proxied(student: StudentPage, course: str) -> Callable[[str], None]:
    """Put a proxy into the page's live feed; the answer sends text to the page."""
    sockets: list[WebSocketRoute] = []
    heard: list[str | bytes] = []

    def proxy(socket: WebSocketRoute) -> None:
        def forward(message: str | bytes) -> None:
            socket.send(message)
            heard.append(message)

        socket.connect_to_server().on_message(forward)
        sockets.append(socket)

    student.page.route_web_socket(FEED, proxy)
    student.page.reload()
    student.shows(course, "Pending Approval", enabled=False)
    student.until(lambda: heard, what="the first message of the live feed")
    return sockets[-1].send


def changed(card: CardView, **changes: object) -> str:
    return StudentCard(card=card.model_copy(update=changes)).model_dump_json()


def test_a_stale_card_never_overwrites_a_newer_one(student: StudentPage, school: School) -> None:
    course = school.courses[0]
    student.pay(course)
    old = student.view(course)
    say = proxied(student, course)
    student.page.evaluate(RECORD_LABELS)
    for version in (0, old.version - 1, old.version):
        say(changed(old, version=version, label="Enroll Now", action="enroll"))
    say(changed(old, version=old.version + 1, label="Continue Course", enabled=True))
    student.shows(course, "Continue Course")
    assert set(student.page.evaluate("window.labels")) == {"Continue Course"}


def test_the_whole_list_of_the_feed_is_the_backends_last_word(
    student: StudentPage, school: School, course: str, registered: LiveStudent
) -> None:
    student.pay(course)
    say = proxied(student, course)
    context = student.page.context
    now = context.request.get(f"{school.url}/api/student/cards").text()
    whole = StudentCards.model_validate_json(now)
    earlier = [
        card.model_copy(update={"version": 0, "label": "Enroll Now", "enabled": True})
        for card in whole.cards
    ]
    assert whole.student == StudentSelf(id=registered.id, name=registered.name)
    say(whole.model_copy(update={"cards": tuple(earlier)}).model_dump_json())
    student.shows(course, "Enroll Now")


STORE = """async (steps) => {
  const { Store } = await import("/static/store.js");
  const store = new Store();
  const card = (version) => ({ course: "c", version, label: String(version) });
  const list = (version) => ({ student: { id: "s" }, cards: [card(version)] });
  return steps.map(([how, version]) => {
    if (how === "apply") store.apply(card(version));
    else store[how](list(version));
    return store.card("c").version;
  });
}"""


def test_the_store_against_a_plain_model(visitor: StudentPage) -> None:
    steps = st.lists(st.tuples(st.sampled_from(["apply", "merge", "replace"]), st.integers(0, 5)))

    @given(steps)
    def check(history: list[tuple[str, int]]) -> None:
        # The first list brings the student; before it there is nothing to compare.
        history = [("replace", 0), *history]
        shown, wanted = 0, []
        for how, version in history:
            shown = version if how == "replace" else max(shown, version)
            wanted.append(shown)
        assert visitor.page.evaluate(STORE, history) == wanted

    check()
