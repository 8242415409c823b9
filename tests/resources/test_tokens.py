"""The design tokens: readable in both themes, on the grid, and the same for Qt and CSS."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import resources
from resources import Palette, Theme, TokenError
from resources.tokens import read_tokens

THEMES: tuple[Theme, ...] = ("light", "dark")
SURFACES = ("surface", "surface_raised", "surface_sunken", "selection", "row_hover")

# Where each colour of text is painted.
TEXT_ON = {
    "text": (*SURFACES, "accent_soft", "warn_soft", "danger_soft", "ok_soft"),
    "text_muted": SURFACES,
    "accent": (*SURFACES, "accent_soft"),
    "warn": (*SURFACES, "warn_soft"),
    "danger": (*SURFACES, "danger_soft"),
    "ok": (*SURFACES, "ok_soft"),
    "accent_text": ("accent", "accent_hover"),
    "danger_text": ("danger",),
}
PAIRS = [(text, on) for text, surfaces in TEXT_ON.items() for on in surfaces]
# Outlines that carry meaning need 3:1 (WCAG 1.4.11).
OUTLINES = [
    (line, on)
    for line in ("focus", "border_strong")
    for on in ("surface", "surface_raised", "surface_sunken")
]


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, 0 to 1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two `#rrggbb` colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_formula_against_known_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("text", "on"), PAIRS)
def test_text_is_readable_on_its_surfaces(theme: Theme, text: str, on: str) -> None:
    palette = resources.load_tokens().palette(theme)
    assert contrast(getattr(palette, text), getattr(palette, on)) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("line", "on"), OUTLINES)
def test_outlines_are_visible(theme: Theme, line: str, on: str) -> None:
    palette = resources.load_tokens().palette(theme)
    assert contrast(getattr(palette, line), getattr(palette, on)) >= 3


def test_every_colour_has_both_themes_and_a_field() -> None:
    raw: dict[str, Any] = json.loads(resources.path("tokens.json").read_text(encoding="utf-8"))
    names = {name.replace("-", "_") for name in raw["colours"]}
    assert names == {field.name for field in fields(Palette)}
    assert all(set(themes) == set(THEMES) for themes in raw["colours"].values())


def test_lengths_are_on_the_grid_and_no_text_is_too_small() -> None:
    tokens = resources.load_tokens()
    assert all(pixels == 4 * step for step, pixels in tokens.space.items())
    sizes = [getattr(tokens.size, field.name) for field in fields(tokens.size)]
    assert all(size % 4 == 0 for size in sizes)
    assert min(tokens.font.text, tokens.font.heading, tokens.font.title) >= 12


def test_css_carries_every_token_in_both_themes() -> None:
    tokens = resources.load_tokens()
    css = tokens.css()
    assert css.count("{") == css.count("}")
    for theme in THEMES:
        palette = tokens.palette(theme)
        # Twice each: followed from the system, and forced by data-theme.
        expected = 1 if theme == "light" else 2
        for field in fields(palette):
            if field.name == "overlay":
                continue
            line = f"--{field.name.replace('_', '-')}: {getattr(palette, field.name)};"
            assert css.count(line) == expected, line
    assert "prefers-color-scheme: dark" in css
    assert ":root[data-theme='dark']" in css
    assert re.search(r"--space-2: 8px;.*--font-family: 'Inter', sans-serif;", css)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colours": {"text": {"light": "red", "dark": "#000000"}}}, "colour text"),
        ({"colours": {"surplus": {"light": "#000000", "dark": "#000000"}}}, "surplus"),
        ({"colours": {"text": {"light": "#000000"}}}, "dark"),
        ({"space": {"1": "4px"}}, "space 1"),
        ({"radius": {"small": 4.5}}, "radius small"),
        ({"overlay_percent": 0}, "overlay_percent"),
    ],
)
def test_a_damaged_file_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    raw: dict[str, Any] = json.loads(resources.path("tokens.json").read_text(encoding="utf-8"))
    for key, value in change.items():
        raw[key] = {**raw[key], **value} if isinstance(value, dict) else value
    damaged = tmp_path / "tokens.json"
    damaged.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(TokenError, match=message):
        read_tokens(damaged)
