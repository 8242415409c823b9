"""`python -m tests.campaigns.webhooks --callbacks 100000`: hostile and repeated callbacks.

A real backend and the sandbox, over real HTTP. Whatever is sent: every answer is the one it should
be, none is of the 5xx class, and each enrollment ends as the provider's status says, by one entry
each. The last line is JSON; the exit status is 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import httpx
from sqlalchemy import func, select

from core.backend import logging as logs
from core.backend.demo_cards import DemoCards
from core.backend.gateway.sandbox.book import SandboxLink
from core.backend.services.webhooks import CallbackKeys
from core.backend.storage.tables import late_money, ledger_entries, webhook_deliveries
from core.domain.enrollment import AttemptStatus, Enrollment
from tests.backend.webhooks.till import Till
from tests.campaigns.hostile_letters import Letter, Post, Story
from tests.support.live_people import LiveStudent
from tests.support.live_template import Template, make_template
from tests.support.waiting import wait_until

CONNECTIONS = 16
PREVIOUS = "the-secret-of-before-0123456789"
_WORK_SECONDS = 120.0
_DECLINED = "05"
_SHOWN = 20
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")

# How each pupil's payment went, over and over.
_LIVES = ("paid", "declined", "wrong amount", "nothing", "nothing", "nothing")


@dataclass
class Report:
    """`unsigned`: how many were to be refused, and noted.

    `wrong` and `effects` say in words what was answered and done wrongly; a few of each.
    """

    callbacks: int
    seed: int
    seconds: float = 0.0
    unsigned: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    answers_5xx: int = 0
    wrong_answers: int = 0
    wrong_effects: int = 0
    wrong: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        return not (self.answers_5xx or self.wrong_answers or self.wrong_effects)

    def json(self) -> str:
        return json.dumps({"campaign": "webhooks", **asdict(self)})


@dataclass(frozen=True)
class _Pupil:
    student: LiveStudent
    link: SandboxLink
    life: str

    @property
    def story(self) -> Story:
        paid = self.life in {"paid", "wrong amount"}
        declined = _DECLINED if self.life == "declined" else None
        return Story(self.link.id, self.link.external_id, paid, declined)


Sabotage = Callable[[Till], None]


def run(
    template: Template,
    folder: Path,
    *,
    callbacks: int,
    pupils: int = 24,
    seed: int = 1,
    sabotage: Sabotage | None = None,
) -> Report:
    """One campaign; `sabotage` breaks the backend, to see that it would be found."""
    cards = DemoCards()
    keys = cards.callback_keys
    cards.callback_keys = CallbackKeys(app_id=keys.app_id, secrets=(*keys.secrets, PREVIOUS))
    report = Report(callbacks, seed)
    with Till(template, folder, cards) as till:
        known = [_pupil(till, _LIVES[n % len(_LIVES)]) for n in range(pupils)]
        _lie_about(till, {p.link.id for p in known if p.life == "wrong amount"})
        if sabotage is not None:
            sabotage(till)
        before = till.backend.size
        post = Post(
            random.Random(seed), stories=[p.story for p in known], app_id=keys.app_id,
            secrets=(till.secret, PREVIOUS), port=int(till.backend.url.rpartition(":")[2]),
        )  # fmt: skip
        start = time.perf_counter()
        asyncio.run(_send_all(post.letters(callbacks), till.backend.url, report))
        report.seconds = round(time.perf_counter() - start, 2)
        wait_until(lambda: not _untried(till), timeout=_WORK_SECONDS, what="all to be worked on")
        _judge(till, known, before, report)
    return report


def _pupil(till: Till, life: str) -> _Pupil:
    student = till.backend.student()
    link = till.enroll(student)
    if life in {"paid", "wrong amount"}:
        till.sandbox.book.pay(link.id)  # and calls nobody back: that is what is sent here
    return _Pupil(student, link, life)


def _lie_about(till: Till, links: set[str]) -> None:
    """The provider says another amount of these."""
    said = till.sandbox.said_of

    def lying(link: SandboxLink) -> dict[str, object]:
        told = replace(link, amount_cents=link.amount_cents + 1) if link.id in links else link
        return said(told)

    till.sandbox.said_of = lying  # type: ignore[method-assign]  # steered from outside


# --- sending -------------------------------------------------------------------------------------


async def _send_all(letters: Iterator[Letter], url: str, report: Report) -> None:
    answers: Counter[str] = Counter()
    kinds: Counter[str] = Counter()

    async def work() -> None:
        caller = await _Caller.connect(int(url.rpartition(":")[2]))
        for letter in letters:  # they share it
            status = await caller.send(letter.request)
            answers[str(status)] += 1
            kinds[letter.kind] += 1
            report.unsigned += letter.status == httpx.codes.UNAUTHORIZED
            if status >= 500:
                report.answers_5xx += 1
            if status != letter.status:
                report.wrong_answers += 1
                wrong = f"{letter.kind}: answered {status}, not {letter.status}"
                report.wrong = [*report.wrong[:_SHOWN], wrong]
        await caller.close()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    report.answers, report.kinds = dict(sorted(answers.items())), dict(sorted(kinds.items()))


class _Caller:
    """A kept connection; one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> _Caller:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, request: bytes) -> int:
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        await self._reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
        found = _STATUS.match(head.upper())
        assert found is not None
        return int(found[1])

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


# --- what became of it ---------------------------------------------------------------------------


def _untried(till: Till) -> int:
    """How many nobody has tried yet, or is trying for the first time now."""
    columns = webhook_deliveries.c
    query = select(func.count()).where(columns.outcome == "")
    return till.backend.services.reader.run_now(lambda c: c.execute(query).scalar_one())


def _judge(till: Till, pupils: Sequence[_Pupil], before: int, report: Report) -> None:
    lives = Counter(pupil.life for pupil in pupils)
    wrong = [why for pupil in pupils if (why := _complaint(till, pupil))]
    if _late(till) != {p.link.id for p in pupils if p.life == "wrong amount"}:
        wrong.append("late money is not what was paid wrongly")
    # One entry each, and no other.
    expected = {
        "enrollment.approved": lives["paid"],
        "card.late_money": lives["wrong amount"],
        "card.failed": lives["declined"],
    }
    entries = _entries(till, before)
    if entries != expected:
        wrong.append(f"entries: {entries}, not {expected}")
    noted = sum(alert.count for alert in till.alerts())
    if noted != report.unsigned:
        wrong.append(f"{noted} refusals were noted, not {report.unsigned}")
    report.wrong_effects = len(wrong)
    report.effects = wrong[:_SHOWN]


def _complaint(till: Till, pupil: _Pupil) -> str:
    enrollment = till.enrollment(pupil.student)
    (attempt,) = enrollment.attempts
    found = (enrollment.has_access, attempt.status, attempt.failure)
    return "" if found == _due(pupil, enrollment) else f"{pupil.life}: {found}"


def _due(pupil: _Pupil, enrollment: Enrollment) -> tuple[bool, AttemptStatus, str | None]:
    failure = enrollment.attempts[0].failure
    return {
        "paid": (True, AttemptStatus.PAID, failure),
        "declined": (False, AttemptStatus.FAILED, "declined"),
        "wrong amount": (False, AttemptStatus.OPEN, None),
        "nothing": (False, AttemptStatus.OPEN, None),
    }[pupil.life]


def _late(till: Till) -> set[str]:
    query = select(late_money.c.link_id)
    return till.backend.services.reader.run_now(lambda c: set(c.execute(query).scalars()))


def _entries(till: Till, before: int) -> dict[str, int]:
    query = select(ledger_entries.c.action).where(ledger_entries.c.index >= before)
    actions = till.backend.services.reader.run_now(lambda c: list(c.execute(query).scalars()))
    return dict(Counter(actions))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.campaigns.webhooks")
    parser.add_argument("--callbacks", type=int, default=100_000)
    parser.add_argument("--pupils", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bursar-campaign-") as name:
        folder = Path(name)
        logs.configure(file=folder / "log")
        (folder / "template").mkdir()
        template = make_template(folder / "template")
        report = run(
            template, folder / "till",
            callbacks=given.callbacks, pupils=given.pupils, seed=given.seed,
        )  # fmt: skip
    print(report.json())
    return 0 if report.fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
