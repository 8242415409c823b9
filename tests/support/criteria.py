"""The acceptance criteria, and which tests prove them.

A test says what it proves with `@pytest.mark.req("4.1")`; an unknown number stops the run.
`python -m tests.support.criteria` prints the list.
"""

from __future__ import annotations

import contextlib
import io
import sys
import textwrap
from collections.abc import Iterable, Mapping

import pytest

CRITERIA: Mapping[str, str] = {
    "1.1": "A visitor who is not logged in sees Register To Enroll on a course card.",
    "1.2": "A logged-in student without an enrollment sees Enroll Now.",
    "1.3": "Enroll Now starts a payment (iKhokha link for card, bank details and reference for "
    "EFT).",
    "1.4": "Starting a payment creates one pending enrollment record.",
    "2.1": "A card payment that the provider confirms grants course access at once.",
    "2.2": "After a confirmed card payment the card reads Continue Course.",
    "2.3": "An EFT payment leaves the enrollment pending, waiting for a finance officer.",
    "2.4": "After an EFT payment the card reads Pending Approval.",
    "3.1": "A change of payment or enrollment status changes the card without a page reload.",
    "3.2": "From approval to Continue Course on the student's page: never over 2 s, on one machine "
    "under 100 ms at the 99th percentile.",
    "3.3": "Every open tab of that student, and every device, shows the same within the same time.",
    "3.4": "Continue Course opens the lesson content; without an approved enrollment the backend "
    "refuses it.",
    "4.1": "A completed EFT submission appears in the console's pending list: never over 1 s, on "
    "one machine under 100 ms at the 99th percentile.",
    "4.2": "Approving grants access in the same transaction.",
    "4.3": "Approving updates the student's page live.",
    "4.4": "A decided enrollment leaves the pending list of every console.",
    "5.1": "In production every card payment goes through the live iKhokha API.",
    "5.2": "No simulated provider can be reached from a production configuration.",
    "5.3": "A production start-up with test mode, sandbox, default secrets, plain http/ws, SQLite "
    "with several nodes, or debug on is refused, each cause named in one line.",
    "5.4": "Webhooks are accepted only with a valid iKhokha signature.",
    "6.1": "Not logged in: the button reads Register To Enroll and leads to sign-up.",
    "6.2": "Logged in, not enrolled: the button reads Enroll Now.",
    "6.3": "Waiting for approval: the button reads Pending Approval and is disabled.",
    "6.4": "Enrolled: the button reads Continue Course and leads to the lessons.",
    "7.1": "A failed payment shows a clear message in plain words, and a way to retry.",
    "7.2": "A failed payment leaves the enrollment pending.",
    "7.3": "A retry uses the same enrollment record.",
    "7.4": "While a payment is being processed, the student sees that it is.",
    "8.1": "A success webhook, once confirmed with the provider, updates the enrollment by itself.",
    "8.2": "A failure webhook leaves the enrollment pending and records the reason.",
    "8.3": "A webhook whose processing fails is logged, retried with growing delay, then parked "
    "for a person, who can replay it.",
    "8.4": "A webhook with a bad signature is refused, changes nothing, and raises a security "
    "alert.",
}


def criteria_of(item: pytest.Item) -> list[str]:
    """The criteria that `item` is marked with. Raises `UsageError` for a number that is none."""
    ids = [number for mark in item.iter_markers("req") for number in (mark.args or ("(none)",))]
    for number in ids:
        if number not in CRITERIA:
            raise pytest.UsageError(f"{item.nodeid}: {number!r} is not an acceptance criterion")
    return ids


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stop the run at a mark that names no criterion."""
    for item in items:
        criteria_of(item)


class Proofs:
    """A plugin that notes, per criterion, the tests that are marked with it."""

    def __init__(self) -> None:
        self.tests: dict[str, list[str]] = {number: [] for number in CRITERIA}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take the marks once everything is collected; the cases of one test count once."""
        for item in session.items:
            test = item.nodeid.partition("[")[0]
            for number in criteria_of(item):
                if test not in self.tests[number]:
                    self.tests[number].append(test)


def report(tests: Mapping[str, Iterable[str]]) -> str:
    """The list for people: each criterion, then the tests that prove it."""
    lines: list[str] = []
    proved = 0
    for number, text in CRITERIA.items():
        lines += textwrap.wrap(f"{number}  {text}", width=96, subsequent_indent=" " * 5)
        names = list(tests.get(number, ()))
        proved += bool(names)
        lines += [f"     - {name}" for name in names] or ["     not yet proved"]
    lines.append(f"\n{proved} of {len(CRITERIA)} criteria are proved by a test.")
    return "\n".join(lines)


def main() -> int:
    """Print the list; 1 if the tests could not be collected."""
    proofs = Proofs()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = pytest.main(["--collect-only", "-qq"], plugins=[proofs])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        print(printed.getvalue(), file=sys.stderr)
        print("The tests could not be collected, so nothing can be said.", file=sys.stderr)
        return 1
    print(report(proofs.tests))
    return 0


if __name__ == "__main__":
    sys.exit(main())
