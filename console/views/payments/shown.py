"""What the pane shows of any record of the Payments screen, and small words for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.models.records import Cell
from console.widgets.fields import Field, Moment
from console.words import age_words, when_words
from core.domain.money import format_rand
from core.domain.references import show_reference


@dataclass(frozen=True, slots=True)
class State:
    """Always a word and a drawing, never a colour alone; `rank` sorts, the smallest first."""

    words: str
    icon: str
    tone: str
    rank: int

    def cell(self, at: datetime) -> Cell:
        """Sorted by rank, and within one the newest first."""
        sort = (self.rank, -at.timestamp())
        return Cell(self.words, sort=sort, icon=self.icon, tone=self.tone)


@dataclass(frozen=True, slots=True)
class Shown:
    """One record in plain words: `kind` (info, ok, warn, danger) with what happened and what to do.

    `reference` is as stored, or empty; `stored` is text to be shown as it came.
    """

    state: State
    title: str
    reference: str
    kind: str
    happened: str
    next_step: str
    fields: tuple[Field, ...]
    history: tuple[Moment, ...] = ()
    stored: str = ""


def fields(*facts: tuple[str, str | None]) -> tuple[Field, ...]:
    """What is known; what is not does not stand there."""
    return tuple(Field(name, text) for name, text in facts if text)


def when_cell(at: datetime, now: datetime) -> Cell:
    return Cell(when_words(at, now), sort=at.timestamp(), tone="text_muted")


def money_cell(cents: int | None) -> Cell:
    return Cell(money_words(cents), sort=-1 if cents is None else cents)


def money_words(cents: int | None) -> str:
    """An amount that nobody said is said to be so."""
    return "not said" if cents is None else format_rand(cents)


def reference_cell(reference: str | None) -> Cell:
    return Cell(show_reference(reference) if reference else "none")


def when_with_age(at: datetime, now: datetime) -> str:
    """`10:42 (5 min ago)`."""
    age = age_words(now - at)
    return f"{when_words(at, now)} ({'just now' if age == 'now' else f'{age} ago'})"
