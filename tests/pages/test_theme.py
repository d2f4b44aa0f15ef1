"""The colours of the theme can be read, as WCAG 2 asks: 4.5 to 1 for small text."""

import tomllib
from pathlib import Path

import pytest

from pages.shared import shell

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
ENOUGH = 4.5


def channels(color: str) -> list[float]:
    """Red, green and blue of `#rrggbb` in [0, 1]."""
    return [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]


def mixed(color: str, below: str, opacity: float) -> str:
    """The colour seen where one lies on another."""
    pairs = zip(channels(color), channels(below), strict=True)
    seen = (opacity * top + (1 - opacity) * bottom for top, bottom in pairs)
    return "#" + "".join(f"{round(255 * one):02x}" for one in seen)


def luminance(color: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    linear = [
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in channels(color)
    ]
    return sum(w * one for w, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """From 1, the same, to 21, black on white."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
def test_theme__texts_can_be_read(name: str) -> None:
    theme = tomllib.loads(CONFIG.read_text())["theme"][name]
    page, primary = theme["backgroundColor"], theme["primaryColor"]
    caption = mixed(theme["textColor"], page, 0.6)
    assert contrast(caption, page) >= ENOUGH
    chosen = mixed(primary, page, 0.1)  # a choice that is made, as Streamlit tints it
    assert contrast(primary, chosen) >= ENOUGH
    assert contrast(shell.ON_PRIMARY[name], primary) >= ENOUGH
