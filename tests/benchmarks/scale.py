"""How much of it a run does: all of it, or just enough to see that it works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """`folder` is empty, for the run's own files; durations are seconds."""

    folder: Path
    rounds: int = 500
    decisions: int = 1_000
    webhooks: int = 3_000
    turns: int = 3
    starts: int = 7
    arrivals: int = 1_000
    arrival_seconds: float = 10.0
    rows: int = 100_000
    sockets: int = 1_000
    events: int = 40

    def sub(self, name: str) -> Path:
        """A fresh folder inside."""
        made = self.folder / name
        made.mkdir(parents=True)
        return made


def smoke(folder: Path) -> Scale:
    """A second or two of each benchmark; its figures say nothing."""
    return Scale(
        folder=folder, rounds=2, decisions=40, webhooks=40, turns=1, starts=1, arrivals=8,
        arrival_seconds=0.2, rows=500, sockets=8, events=2,
    )  # fmt: skip
