"""The lines that a benchmark prints, and the few sums behind them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """`limit` was measured in the same run, in the same unit; `note` explains a missing value or a
    doubtful one."""

    bench: str
    metric: str
    unit: str
    value: float | None
    limit: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """value / limit."""
        if self.value is None or not self.limit:
            return None
        return self.value / self.limit

    def json(self) -> str:
        fields: dict[str, object] = {
            "bench": self.bench,
            "metric": self.metric,
            "value": _short(self.value),
            "unit": self.unit,
            "limit": _short(self.limit),
            "ratio": _short(self.ratio),
        }
        return json.dumps(fields | ({"note": self.note} if self.note else {}))


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank: a value that was really measured."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def _short(number: float | None) -> float | None:
    return None if number is None else float(f"{number:.4g}")
