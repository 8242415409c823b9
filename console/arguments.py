"""The command line of the console."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console.theme_choice import ThemeChoice


@dataclass(frozen=True, slots=True)
class Arguments:
    """`backend` empty: the one used last, or the demo workspace. `theme` None: as remembered."""

    data: Path
    backend: str
    theme: ThemeChoice | None
    automation: bool


def read_arguments(given: Sequence[str], *, default_data: Path) -> Arguments:
    """Ends the program with a message for arguments that make no sense, as argparse does."""
    parser = argparse.ArgumentParser(prog="bursar", description="The finance console of Bursar.")
    parser.add_argument("--backend", default="", help="address of a backend to connect to")
    parser.add_argument(
        "--data", type=Path, default=default_data, help="folder for what the console keeps"
    )
    parser.add_argument(
        "--theme", type=ThemeChoice, choices=list(ThemeChoice), help="appearance for this run"
    )
    parser.add_argument(
        "--automation",
        action="store_true",
        help="for tests: take JSON commands on standard input (see console/automation.py)",
    )
    found = parser.parse_args(given)
    return Arguments(
        data=found.data, backend=found.backend, theme=found.theme, automation=found.automation
    )
