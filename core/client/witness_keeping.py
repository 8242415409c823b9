"""Puts on disk what a witness keeps, as soon as the disk takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from core.client import witness_file
from core.client.disk_room import has_no_room
from core.client.witness_file import AlarmKind, Kept

_NO_ROOM = "This computer has no room left on its disk."
_UNUSABLE = "This computer's disk cannot be written."


class WitnessKeeping:
    """What the disk refuses is never raised: verification goes on in memory, `trouble` says it in
    plain words (else it is empty), and the next `save` tries everything again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._evidence: list[tuple[AlarmKind, Mapping[str, object]]] = []
        self.trouble = ""

    def add_evidence(self, kind: AlarmKind, evidence: Mapping[str, object]) -> None:
        """Of an alarm that names no evidence yet: the next `save` writes it first."""
        self._evidence.append((kind, evidence))

    async def save(self, kept: Kept) -> Kept:
        """Write it; the same, with its alarm naming the evidence that was written."""
        try:
            while self._evidence:
                kept = await self._write_evidence(kept)
            await asyncio.to_thread(witness_file.save, self._path, kept)
        except OSError as error:
            self.trouble = _NO_ROOM if has_no_room(error, self._path.parent) else _UNUSABLE
        else:
            self.trouble = ""
        return kept

    async def _write_evidence(self, kept: Kept) -> Kept:
        kind, evidence = self._evidence[0]
        stem = f"evidence-{kind.value}"
        name = await asyncio.to_thread(witness_file.keep_evidence, self._path, stem, evidence)
        del self._evidence[0]
        alarm = kept.alarm
        if alarm is None or alarm.kind is not kind or alarm.evidence:
            return kept  # a person has accepted it meanwhile
        return replace(kept, alarm=replace(alarm, evidence=name))
