"""`make demo`: an EFT payment is submitted, shows up live, is approved, and the card flips.

Prints each step with its latency, writes screenshots to build/demo, verifies the ledger, and ends
with one JSON line. Exit status 1 if anything did not hold. `--console` and `--backend` name built
programs to do all this with instead of the source.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from scripts.demo.console_process import CONSOLE, ConsoleProcess, DemoError
from scripts.demo.ledger_control import BACKEND, altered_copy, ledger_size, verify
from scripts.demo.student import Student

ROUNDS = 5
OUTPUT = Path("build/demo")


@dataclass(frozen=True)
class Programs:
    """The commands to run."""

    console: tuple[str, ...]
    backend: tuple[str, ...]


@dataclass
class Figures:
    """Milliseconds per round; the worst one is reported, because that is what a person notices."""

    submitted_to_console: list[float] = field(default_factory=list)
    approved_to_student: list[float] = field(default_factory=list)


def say(text: str, milliseconds: float | None = None) -> None:
    print(
        f"{text:<62}" + (f"{milliseconds:9.1f} ms" if milliseconds is not None else ""), flush=True
    )


def since(start_ns: int, end_ns: int | None = None) -> float:
    return ((end_ns or time.monotonic_ns()) - start_ns) / 1e6


def expect(holds: bool, what: str) -> None:  # noqa: FBT001 - reads like an assertion
    if not holds:
        raise DemoError(what)


def screenshots(console: ConsoleProcess, name: str) -> None:
    for theme in ("light", "dark"):
        console.do("theme", name=theme)
        console.do("screenshot", path=str(OUTPUT / f"{name}-{theme}.png"))
    say(f"screenshots {name}-light.png and {name}-dark.png")


def approve_round(console: ConsoleProcess, student: Student, course: str, figures: Figures) -> None:
    """One payment from the student's click to the flipped card."""
    expect(student.lessons(course).status_code == 403, "a lesson opened without an enrollment")
    reference = student.enroll(course)
    start = time.monotonic_ns()
    student.submit(course)
    painted = console.do("wait_row", reference=reference)
    figures.submitted_to_console.append(since(start, int(painted["painted_ns"])))
    say(f"{reference}: submitted -> row painted", figures.submitted_to_console[-1])
    expect(student.card(course)["label"] == "Pending Approval", "the card is not pending")
    console.do("select", reference=reference)
    if len(figures.submitted_to_console) == 1:
        console.do("wait_detail")
        screenshots(console, "pending")
    start = time.monotonic_ns()
    console.do("approve")
    flipped = student.wait_for_label(course, "Continue Course")
    figures.approved_to_student.append(since(start, flipped))
    say(f"{reference}: approved -> student's card flipped", figures.approved_to_student[-1])
    expect(student.lessons(course).status_code == 200, "the lesson did not open after approval")
    console.do("wait_gone", reference=reference)


def reject_once(console: ConsoleProcess, student: Student, course: str) -> None:
    reference = student.enroll(course)
    student.submit(course)
    console.do("wait_row", reference=reference)
    console.do("select", reference=reference)
    start = time.monotonic_ns()
    console.do("reject", reason="no_payment_found", note="Nothing on the statement of today.")
    say(
        f"{reference}: rejected -> card open again",
        since(start, student.wait_for_label(course, "Enroll Now")),
    )
    expect(student.lessons(course).status_code == 403, "a lesson opened after a rejection")


def main_job(console: ConsoleProcess, figures: Figures) -> None:
    start = time.monotonic_ns()
    state = console.wait_until_live()
    say("console started its backend, enrolled its device, went live", since(start))
    students = [
        Student(str(state["backend_url"]), f"Demo Student {n + 1}") for n in range(ROUNDS + 1)
    ]
    # The cheapest course needs one signature; the dearest of the demo workspace needs two.
    course = min(students[0].cards(), key=lambda card: int(card["price_cents"]))["course"]
    for student in students[:ROUNDS]:
        approve_round(console, student, course, figures)
    reject_once(console, students[ROUNDS], course)
    for screen in ("audit", "settings"):
        console.do("open", screen=screen)
        screenshots(console, screen)
    console.do("open", screen="pending")
    for student in students:
        student.close()


def check_ledger(database: Path, programs: Programs) -> int:
    start = time.monotonic_ns()
    holds, words = verify(programs.backend, database)
    expect(holds, f"the ledger did not verify: {words}")
    say("ledger verified", since(start))
    for cover_up in (False, True):
        copy = OUTPUT / f"altered-{'covered' if cover_up else 'plainly'}.sqlite3"
        holds, words = verify(programs.backend, altered_copy(database, copy, cover_up=cover_up))
        expect(not holds, "verification passed although a leaf was altered")
        say(f"{copy.stem} copy refused: {words.splitlines()[-1]}")
    return ledger_size(database)


def run(programs: Programs) -> dict[str, object]:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    data = OUTPUT / "data"
    figures = Figures()
    console = ConsoleProcess(programs.console, data, OUTPUT / "console.log")
    try:
        main_job(console, figures)
    finally:
        status = console.stop()
    expect(status == 0, f"the console ended with status {status}")
    size = check_ledger(data / "demo" / "bursar.sqlite3", programs)
    return {
        "demo": "ok",
        "submitted_to_console_ms": round(max(figures.submitted_to_console), 1),
        "approved_to_student_ms": round(max(figures.approved_to_student), 1),
        "ledger_size": size,
        "ledger_verified": True,
    }


def read_programs() -> Programs:
    parser = argparse.ArgumentParser(prog="scripts.demo", description="The main job by itself.")
    parser.add_argument("--console", help="a console program instead of the source")
    parser.add_argument("--backend", help="a backend program instead of the source")
    found = parser.parse_args()
    return Programs(
        console=(found.console,) if found.console else CONSOLE,
        backend=(found.backend,) if found.backend else BACKEND,
    )


def main() -> int:
    programs = read_programs()
    try:
        result = run(programs)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the last line must say so
        if not isinstance(error, DemoError):
            traceback.print_exc()
        print(json.dumps({"demo": "failed", "why": str(error)}))
        return 1
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
