"""`CopyFile`: the sealed copy of the pending list, from which a console opens without a network.

One JSON text per line: the head, then each row, so that no single step takes long. Blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from core.client.errors import OfflineCopyError
from core.client.private_files import move_aside, write_private
from core.client.sealing import Sealer
from core.protocol.messages import Device, EnrollmentRow, User, Workspace

_CONTEXT = "offline-copy/1"


@dataclass(frozen=True, slots=True)
class OfflineCopy:
    """What a console knew when it last had news.

    `rows` is the pending list, `as_of` when the last news of it was applied (UTC), `next_index`
    the first ledger entry of `epoch` that is not in it, `device` this console as the backend knew
    it then.
    """

    officer: User
    workspace: Workspace
    device: Device
    rows: tuple[EnrollmentRow, ...]
    as_of: datetime
    next_index: int
    epoch: UUID


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    officer: User
    workspace: Workspace
    device: Device
    as_of: AwareDatetime
    next_index: int
    epoch: UUID
    rows: int


class CopyFile:
    """One officer's copy at one backend. `aside` is where the last unreadable one was kept."""

    def __init__(
        self,
        path: Path,
        sealer: Sealer,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._sealer = sealer
        self._now = now
        self.aside: Path | None = None

    def save(self, copy: OfflineCopy) -> None:
        """Replace the file in one step. Raises OfflineCopyError."""
        head = _Head(
            officer=copy.officer,
            workspace=copy.workspace,
            device=copy.device,
            as_of=copy.as_of,
            next_index=copy.next_index,
            epoch=copy.epoch,
            rows=len(copy.rows),
        )
        lines = [head.model_dump_json(), *(row.model_dump_json() for row in copy.rows)]
        sealed = self._sealer.seal("\n".join(lines), _CONTEXT)
        try:
            write_private(self._path, sealed)
        except OSError as error:
            raise OfflineCopyError(
                "The copy of the list for working offline cannot be written on this computer."
            ) from error

    def load(self) -> OfflineCopy | None:
        """None where there is none, or none that can be read: that one is set aside.

        Raises OfflineCopyError where the disk fails.
        """
        try:
            sealed = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OfflineCopyError(
                "The copy of the list for working offline cannot be read on this computer."
            ) from error
        text = self._sealer.open(sealed, _CONTEXT)
        copy = None if text is None else _read(text)
        if copy is None:
            self._set_aside()
        return copy

    def _set_aside(self) -> None:
        try:
            self.aside = move_aside(self._path, self._now())
        except OSError as error:
            raise OfflineCopyError(
                "The copy of the list for working offline is damaged and cannot be set aside."
            ) from error


def _read(text: str) -> OfflineCopy | None:
    # Not `splitlines`: a name may hold a line separator that JSON leaves as it is.
    first, *rest = text.split("\n")
    try:
        head = _Head.model_validate_json(first)
        rows = tuple(EnrollmentRow.model_validate_json(line) for line in rest)
    except ValidationError:
        return None
    if len(rows) != head.rows:
        return None
    return OfflineCopy(
        officer=head.officer,
        workspace=head.workspace,
        device=head.device,
        rows=rows,
        as_of=head.as_of,
        next_index=head.next_index,
        epoch=head.epoch,
    )
