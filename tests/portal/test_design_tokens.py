"""The colours of static/portal.css: every pair that meets on a page, in light, dark and high contrast."""

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = (Path(settings.BASE_DIR) / "static" / "portal.css").read_text()
SURFACES = ("bg", "surface", "sunken", "raised", "hover", "accent-soft")
PAIRS = [
    *((text, ground) for text in ("text", "text-2", "text-3") for ground in SURFACES),
    *(
        (text, ground)
        for text in ("accent", "late", "warn", "ok")
        for ground in ("bg", "surface", "raised", "hover")
    ),
    *((f"p{level}", f"p{level}-soft") for level in "1234"),
    ("accent-ink", "accent"),
    ("accent-ink", "accent-hover"),
    ("accent", "accent-soft"),
    ("late-ink", "late-solid"),
    ("late", "p1-soft"),
    ("text", "note"),
    ("note-ink", "note"),
    ("note", "note-ink"),
    ("text-2", "p4-soft"),
]
CONTROLS = [(edge, ground) for edge in ("control", "accent", "late") for ground in ("bg", "surface")]


def _block(selector: str) -> str:
    start = CSS.index(selector)
    return CSS[start : CSS.index("}", start)]


def _tokens(selector: str) -> dict[str, tuple[str, str]]:
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", _block(selector))
    return {name: (light, dark) for name, light, dark in found}


THEMES = {"plain": _tokens(":root {"), "contrast": _tokens(':root[data-theme="contrast"] {')}


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("shade", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("theme", "least"), [("plain", 4.5), ("contrast", 7.0)])
def test_every_text_colour_is_legible_on_every_ground_it_stands_on(
    theme: str, least: float, shade: int
) -> None:
    tokens = THEMES["plain"] | THEMES[theme]
    poor = {
        f"{text} on {ground}": round(contrast(tokens[text][shade], tokens[ground][shade]), 2)
        for text, ground in PAIRS
        if contrast(tokens[text][shade], tokens[ground][shade]) < least
    }
    assert poor == {}


@pytest.mark.parametrize("shade", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("theme", ["plain", "contrast"])
def test_the_edge_of_every_control_can_be_seen(theme: str, shade: int) -> None:
    tokens = THEMES["plain"] | THEMES[theme]
    assert all(contrast(tokens[edge][shade], tokens[ground][shade]) >= 3 for edge, ground in CONTROLS)


def test_high_contrast_asked_for_here_or_by_the_system_is_the_same() -> None:
    assert THEMES["contrast"]
    assert _tokens(":root:not([data-theme]) {") == THEMES["contrast"]


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert re.findall(r"url\((?!\"data:)[^)]*\)|@import", CSS) == []
