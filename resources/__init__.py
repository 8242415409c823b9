"""What the programs show and ship beside their code: fonts, icons, design tokens, pages."""

from __future__ import annotations

from pathlib import Path

from resources.tokens import Font, Palette, Radius, Size, Theme, TokenError, Tokens, read_tokens

__all__ = [
    "Font",
    "Palette",
    "Radius",
    "Size",
    "Theme",
    "TokenError",
    "Tokens",
    "load_tokens",
    "path",
]


def path(*parts: str) -> Path:
    """The file or folder `parts` under resources/, as in `path("icons", "inbox.svg")`.

    Works from source, installed, and in a frozen folder, where this file's place is kept too.
    Raises `FileNotFoundError` when there is no such resource.
    """
    found = Path(__file__).resolve().parent.joinpath(*parts)
    if not found.exists():
        raise FileNotFoundError(f"there is no resource {'/'.join(parts)}")
    return found


def load_tokens() -> Tokens:
    """The design tokens of the program. Raises `TokenError` if the file is damaged."""
    return read_tokens(path("tokens.json"))
