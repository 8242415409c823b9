"""`ledger verify` on a real database whose whole ledger somebody rewrote: every hash, node and the
head fit, and only the devices' signatures tell that no officer decided so."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, delete, text
from uuid_utils.compat import uuid7

from core.backend.cli import main
from core.backend.storage import ledger, tables
from core.backend.storage.engine import open_engine, sqlite_file, write_transaction
from core.domain.decisions import Decision
from core.ledger.keys import SigningKey
from core.ledger.leaf import Leaf, Signed
from core.protocol.signing import decision_payload, read_decision, read_withdrawal
from tests.support.live_template import Template
from tests.support.workspace import House, Officer, open_house

APPROVED, WITHDRAWN = "enrollment.approved", "decision.withdrawn"
STRANGER = SigningKey(bytes(range(32)))


@dataclass(frozen=True)
class Story:
    """A true ledger: two approvals and a withdrawal by one officer; a colleague has a device."""

    leaves: list[Leaf]
    officer: Officer
    colleague: Officer
    database: Path

    def at(self, action: str, which: int = -1) -> int:
        """Where the first or last entry of that kind is."""
        return [i for i, leaf in enumerate(self.leaves) if leaf.action == action][which]

    def decision(self) -> Decision:
        """What the last approval says."""
        signed = self.leaves[self.at(APPROVED)].signed
        assert signed is not None
        return read_decision(signed.payload)

    def approve(self, key: SigningKey | None = None, **changes: Any) -> list[Leaf]:
        """The ledger with its last approval changed, and rightly signed again."""
        index = self.at(APPROVED)
        payload = decision_payload(replace(self.decision(), **changes))
        signed = Signed(payload, (key or self.officer.device.key).sign(payload))
        return self.put(index, replace(self.leaves[index], signed=signed))

    def put(self, index: int, leaf: Leaf) -> list[Leaf]:
        return [*self.leaves[:index], leaf, *self.leaves[index + 1 :]]


async def _tell(template: Template, folder: Path) -> Story:
    async with open_house(template, folder / "house") as house:
        officer, colleague = await house.officer(), await house.officer(which=1)
        first, dropped, last = [officer.sign(await house.row(await house.claim())) for _ in "abc"]
        await house.decide(officer, first, officer.device.withdrawal(dropped), last)
        return Story(house.leaves(), officer, colleague, _copy(house, folder / "copy.sqlite3"))


@pytest.fixture(scope="module")
def told(sqlite_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Story:
    return asyncio.run(_tell(sqlite_template, tmp_path_factory.mktemp("story")))


@pytest.fixture
def story(told: Story, tmp_path: Path) -> Story:
    """With a copy of the database that this test may spoil."""
    return replace(told, database=Path(shutil.copy(told.database, tmp_path / "spoilt.sqlite3")))


def _copy(house: House, target: Path) -> Path:
    source = sqlite_file(house.services.config.database_url)
    assert source is not None
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    return target


def _rewrite(database: Path, leaves: list[Leaf]) -> None:
    """Whoever has the file can make every hash fit; no device's key is in it."""

    def write(connection: Connection) -> None:
        triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for name in connection.execute(triggers).scalars().all():
            connection.execute(text(f'DROP TRIGGER "{name}"'))
        for table in (tables.ledger_entries, tables.ledger_nodes, tables.checkpoints):
            connection.execute(delete(table))
        epoch = ledger.read_head(connection).epoch
        ledger.append_entries(connection, ledger.Head(epoch, 0, ()), leaves)

    engine = open_engine(f"sqlite:///{database}")
    with write_transaction(engine) as connection:
        write(connection)
    engine.dispose()


def _verify(story: Story, leaves: list[Leaf]) -> int:
    _rewrite(story.database, leaves)
    return main(["ledger", "verify", "--database", str(story.database)])


def _forged(story: Story) -> list[Leaf]:
    return story.approve(STRANGER)


def _bent_after_signing(story: Story) -> list[Leaf]:
    index = story.at(APPROVED)
    leaf = story.leaves[index]
    assert leaf.signed is not None
    payload = decision_payload(replace(story.decision(), amount_received=1))
    return story.put(index, replace(leaf, signed=Signed(payload, leaf.signed.signature)))


def _device_enrolled_later(story: Story) -> list[Leaf]:
    mine = f"device:{story.officer.device.id}"
    enrolled = next(leaf for leaf in story.leaves if leaf.subject == mine)
    return [*(leaf for leaf in story.leaves if leaf is not enrolled), enrolled]


def _revoked_before(story: Story) -> list[Leaf]:
    device = story.officer.device.id
    revoked = Leaf(
        entry_id=uuid7(), time=story.leaves[-1].time, actor="system", device=None,
        action="device.revoked", subject=f"device:{device}", before=None, after=None,
        facts={"device": str(device)}, signed=None,
    )  # fmt: skip
    index = story.at(APPROVED)
    return [*story.leaves[:index], revoked, *story.leaves[index:]]


def _said_of_another_officer(story: Story) -> list[Leaf]:
    index = story.at(APPROVED)
    colleague = f"user:{story.colleague.identity.user}"
    return story.put(index, replace(story.leaves[index], actor=colleague))


def _signed_for_another_officer(story: Story) -> list[Leaf]:
    return story.approve(officer=story.colleague.identity.user)


def _reused_number(story: Story) -> list[Leaf]:
    first = story.leaves[story.at(APPROVED, 0)].signed
    assert first is not None
    return story.approve(n=read_decision(first.payload).n)


def _unknown_key(story: Story) -> list[Leaf]:
    device = uuid7()
    leaves = story.approve(STRANGER, device=device)
    index = story.at(APPROVED)
    return [*leaves[:index], replace(leaves[index], device=device), *leaves[index + 1 :]]


def _not_signed(story: Story) -> list[Leaf]:
    index = story.at(APPROVED)
    return story.put(index, replace(story.leaves[index], signed=None))


def _other_verdict(story: Story) -> list[Leaf]:
    index = story.at(APPROVED)
    return story.put(index, replace(story.leaves[index], action="enrollment.rejected"))


def _revived(story: Story) -> list[Leaf]:
    """The withdrawn number comes back to life."""
    signed = story.leaves[story.at(WITHDRAWN)].signed
    assert signed is not None
    return story.approve(n=read_withdrawal(signed.payload).n)


def _withdrawal_forged(story: Story) -> list[Leaf]:
    index = story.at(WITHDRAWN)
    leaf = story.leaves[index]
    assert leaf.signed is not None
    signed = Signed(leaf.signed.payload, STRANGER.sign(leaf.signed.payload))
    return story.put(index, replace(leaf, signed=signed))


FORGERIES: list[tuple[Callable[[Story], list[Leaf]], str]] = [
    (_forged, "the signature does not hold"),
    (_bent_after_signing, "the signature does not hold"),
    (_device_enrolled_later, "not enrolled by an earlier entry"),
    (_revoked_before, "revoked by an earlier entry"),
    (_said_of_another_officer, "belongs to another person"),
    (_signed_for_another_officer, "names another officer"),
    (_reused_number, "applied before"),
    (_unknown_key, "not enrolled by an earlier entry"),
    (_not_signed, "is not signed"),
    (_other_verdict, "the signed verdict is not what the entry says"),
    (_revived, "withdrawn before"),
    (_withdrawal_forged, "the signature does not hold"),
]


def test_a_true_ledger_that_was_written_anew_is_verified(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kit itself does no harm: what the others find is the forgery."""
    assert _verify(story, story.leaves) == 0
    assert "2 signed decisions" in capsys.readouterr().out


@pytest.mark.parametrize(("forge", "reason"), FORGERIES, ids=[f.__name__ for f, _ in FORGERIES])
def test_a_forgery_is_found_and_named(
    story: Story,
    capsys: pytest.CaptureFixture[str],
    forge: Callable[[Story], list[Leaf]],
    reason: str,
) -> None:
    assert _verify(story, forge(story)) == 1
    said = capsys.readouterr().out
    assert said.startswith("NOT VERIFIED: entry ")
    assert reason in said
