"""`WorkspaceAdmin`: the house itself: its name, bank account, threshold and courses."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from core.backend.services.commands import AddCourseCommand, SetWorkspaceCommand
from core.backend.services.errors import InvalidError
from core.backend.services.submitting import submit
from core.backend.storage import lookups
from core.backend.storage.reader import Reader
from core.backend.storage.records import Course, LessonText, WorkspaceSettings
from core.backend.storage.writer import Writer
from core.domain.money import MoneyError, check_cents
from core.domain.roles import SYSTEM, Actor
from core.ledger.commitments import SALT_BYTES
from core.ledger.text import write_base64
from core.protocol.messages import Workspace


class WorkspaceAdmin:
    """`checkpoint_public`: the 32 bytes of the key that signs checkpoints."""

    def __init__(
        self,
        *,
        reader: Reader,
        writer: Writer,
        new_id: Callable[[], UUID],
        random_bytes: Callable[[int], bytes],
        checkpoint_name: str,
        checkpoint_public: bytes,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._checkpoint_name = checkpoint_name
        self._checkpoint_public = checkpoint_public

    async def current(self) -> Workspace:
        settings = await self._reader.run(lookups.read_settings)
        return Workspace(
            name=settings.name,
            demo=settings.demo,
            threshold_cents=settings.threshold_cents,
            checkpoint_name=self._checkpoint_name,
            checkpoint_key=write_base64(self._checkpoint_public),
        )

    async def set(
        self,
        *,
        name: str,
        demo: bool,
        threshold_cents: int | None,
        bank: str,
        account_name: str,
        account_number: str,
        branch_code: str,
        actor: Actor = SYSTEM,
    ) -> None:
        """Raises InvalidError for a threshold that is no amount."""
        settings = WorkspaceSettings(
            name=name,
            demo=demo,
            threshold_cents=None if threshold_cents is None else _amount(threshold_cents),
            bank=bank,
            account_name=account_name,
            account_number=account_number,
            branch_code=branch_code,
            salt=self._random_bytes(SALT_BYTES),
        )
        command = SetWorkspaceCommand(settings=settings, actor=actor, key=str(self._new_id()))
        await submit(self._writer, command)

    async def add_course(
        self,
        *,
        title: str,
        summary: str,
        price_cents: int,
        lessons: tuple[LessonText, ...],
        actor: Actor = SYSTEM,
    ) -> UUID:
        """The new course's id. Raises InvalidError for a price that is no amount."""
        course = Course(
            id=self._new_id(),
            title=title,
            summary=summary,
            price_cents=_amount(price_cents),
            salt=self._random_bytes(SALT_BYTES),
            lessons=lessons,
        )
        await submit(self._writer, AddCourseCommand(course=course, actor=actor, key=str(course.id)))
        return course.id


def _amount(cents: int) -> int:
    try:
        return check_cents(cents)
    except MoneyError as error:
        raise InvalidError("wrong_amount", str(error)) from error
