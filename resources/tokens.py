"""The design tokens: one file, `tokens.json`, for the console and the student page alike.

Colours are `#rrggbb`, every length is in pixels on the 4 px grid (radii excepted).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

Theme = Literal["light", "dark"]

_HEX = re.compile(r"#[0-9a-f]{6}")


class TokenError(ValueError):
    """`tokens.json` does not hold what the code expects; the message names the token."""


@dataclass(frozen=True)
class Palette:
    """The colours of one theme, each `#rrggbb`.

    `*_soft` is a quiet background for its colour; `accent_text` and `danger_text` are the text on a
    filled accent or danger button. `overlay` is opaque here: painters apply `overlay_percent`.
    """

    surface: str
    surface_raised: str
    surface_sunken: str
    border: str
    border_strong: str
    text: str
    text_muted: str
    accent: str
    accent_hover: str
    accent_text: str
    accent_soft: str
    warn: str
    warn_soft: str
    danger: str
    danger_text: str
    danger_soft: str
    ok: str
    ok_soft: str
    focus: str
    selection: str
    row_hover: str
    overlay: str


@dataclass(frozen=True)
class Radius:
    """Corner radii in pixels."""

    small: int
    medium: int
    large: int


@dataclass(frozen=True)
class Font:
    """The family that comes with the program and its three sizes in pixels."""

    family: str
    text: int
    heading: int
    title: int


@dataclass(frozen=True)
class Size:
    """Fixed lengths in pixels: heights of row and control, icon, widths of rail and detail."""

    row: int
    control: int
    icon: int
    rail: int
    detail: int


@dataclass(frozen=True)
class Tokens:
    """All tokens. `space` maps a step (1, 2, 3 ...) to pixels: step n is 4 n."""

    light: Palette
    dark: Palette
    overlay_percent: int
    space: Mapping[int, int]
    radius: Radius
    font: Font
    size: Size

    def palette(self, theme: Theme) -> Palette:
        """The colours of `theme`."""
        return self.light if theme == "light" else self.dark

    def css(self) -> str:
        """CSS custom properties for a page.

        Colours are `--surface-raised` and the like; lengths `--space-2`, `--radius-small`,
        `--font-text`, `--size-row`, the family `--font-family`. Dark follows the system;
        `data-theme="light"` or `"dark"` on the root element overrides it.
        """
        light = _block(self._colour_lines(self.light, scheme="light"))
        dark = _block(self._colour_lines(self.dark, scheme="dark"))
        return "\n".join(
            (
                f":root {_block(self._length_lines())}",
                f":root, :root[data-theme='light'] {light}",
                f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme='light']) {dark} }}",
                f":root[data-theme='dark'] {dark}",
                "",
            )
        )

    def _colour_lines(self, palette: Palette, *, scheme: Theme) -> list[str]:
        lines = [f"color-scheme: {scheme};"]
        for field in fields(palette):
            value: str = getattr(palette, field.name)
            if field.name == "overlay":
                value = f"color-mix(in srgb, {value} {self.overlay_percent}%, transparent)"
            lines.append(f"--{field.name.replace('_', '-')}: {value};")
        return lines

    def _length_lines(self) -> list[str]:
        lines = [f"--space-{step}: {pixels}px;" for step, pixels in self.space.items()]
        for group, values in (("radius", self.radius), ("font", self.font), ("size", self.size)):
            for field in fields(values):
                value = getattr(values, field.name)
                shown = f"{value}px" if isinstance(value, int) else f"'{value}', sans-serif"
                lines.append(f"--{group}-{field.name}: {shown};")
        return lines


def read_tokens(file: Path) -> Tokens:
    """Read and check a token file. Raises `TokenError` for what is missing or misshapen."""
    raw: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    try:
        return Tokens(
            light=_palette(raw["colours"], "light"),
            dark=_palette(raw["colours"], "dark"),
            overlay_percent=_pixels("overlay_percent", raw["overlay_percent"]),
            space={int(step): _pixels(f"space {step}", px) for step, px in raw["space"].items()},
            radius=Radius(**_lengths("radius", raw["radius"])),
            font=Font(family=raw["font"].pop("family"), **_lengths("font", raw["font"])),
            size=Size(**_lengths("size", raw["size"])),
        )
    except (KeyError, TypeError) as error:
        raise TokenError(f"{file.name}: a token is missing or unknown: {error}") from error


def _palette(colours: Mapping[str, Mapping[str, str]], theme: Theme) -> Palette:
    values = {name.replace("-", "_"): themes[theme] for name, themes in colours.items()}
    for name, value in values.items():
        if not _HEX.fullmatch(value):
            raise TokenError(f"colour {name} ({theme}) is {value!r}, not #rrggbb in small letters")
    return Palette(**values)


def _lengths(group: str, values: Mapping[str, object]) -> dict[str, int]:
    return {name: _pixels(f"{group} {name}", value) for name, value in values.items()}


def _pixels(name: str, value: object) -> int:
    if not isinstance(value, int) or value <= 0:
        raise TokenError(f"{name} is {value!r}, not a positive whole number")
    return value


def _block(lines: list[str]) -> str:
    return "{ " + " ".join(lines) + " }"
