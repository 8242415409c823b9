"""What students do in a benchmark: say "I have paid", and watch their card in a real browser."""

from __future__ import annotations

import json
import time
from uuid import UUID

from playwright.sync_api import Browser, Page
from uuid_utils.compat import uuid7

from tests.benchmarks.school import Place

_CLOCK_LOOKS = 20
# Resolves with the browser's time (ms) when the card's button has this label in the document.
_ARM = """([course, label]) => {
  const card = document.querySelector(`course-card[data-course="${course}"]`);
  window.flipped = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("the card did not change")), 30000);
    const look = () => {
      if (card.querySelector("button").textContent === label) resolve(performance.now());
    };
    new MutationObserver(look).observe(card, {childList: true, subtree: true, characterData: true});
    look();
  });
}"""
_READY = 'course => document.querySelector(`course-card[data-course="${course}"]`) !== null'


def submission(port: int, place: Place) -> tuple[str, dict[str, str], str]:
    """Path, headers and body of the POST by which a student says: I have paid."""
    headers = {
        "Content-Type": "application/json",
        "Origin": f"http://127.0.0.1:{port}",
        "Cookie": f"bursar_session={place.pupil.token}",
        "Idempotency-Key": str(uuid7()),
    }
    return "/api/student/eft", headers, json.dumps({"course": str(place.course)})


class Tab:
    """A student's page, open in a browser, its clock compared with ours."""

    def __init__(self, browser: Browser, url: str, place: Place) -> None:
        self._context = browser.new_context()
        cookie = {"name": "bursar_session", "value": place.pupil.token, "url": url}
        self._context.add_cookies([cookie])  # type: ignore[list-item]  # its type wants every key
        self._page = self._context.new_page()
        self._page.goto(url)
        self._page.wait_for_function(_READY, arg=str(place.course))
        self._ahead_ns = _clock_difference(self._page)

    def arm(self, course: UUID, label: str) -> None:
        """From now on look out for this label on this course's card."""
        self._page.evaluate(_ARM, [str(course), label])

    def flipped(self) -> int:
        """When it came, by time.monotonic_ns()."""
        return _nanoseconds(self._page, "() => window.flipped") + self._ahead_ns

    def close(self) -> None:
        self._context.close()


def _clock_difference(page: Page) -> int:
    """Our clock less the page's (ns), right to half of the quickest of some round trips."""
    found = []
    for _ in range(_CLOCK_LOOKS):
        before = time.monotonic_ns()
        theirs = _nanoseconds(page, "() => performance.now()")
        after = time.monotonic_ns()
        found.append((after - before, (before + after) // 2 - theirs))
    return min(found)[1]


def _nanoseconds(page: Page, script: str) -> int:
    """A time of the page, which counts in milliseconds."""
    return round(float(page.evaluate(script)) * 1e6)
