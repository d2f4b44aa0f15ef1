"""Small pictures side by side, each with what is said of it."""

import html
from collections.abc import Iterable
from typing import Literal

from pages.shared import addresses, players
from transfer.datasets.revision import Revision
from transfer.store.record import Run

#: A square that stands still while its picture comes; of one that is gone its name
#: stands there.
_SQUARE = (
    "width:100%;aspect-ratio:1;border-radius:6px;display:block;overflow:hidden;"
    "overflow-wrap:anywhere;font-size:.7rem;background:rgba(128,140,150,.15)"
)


def tile(
    sha256: str,
    title: str,
    of: Run | Revision,
    caption: str = "",
    fit: Literal["cover", "contain"] = "cover",
) -> str:
    """HTML of an image as a square, and of a player where it is a recording.

    Args:
        sha256: The image; a grey square without one.
        title: What hovering tells; any text.
        of: The run or revision with which it is seen.
        caption: HTML of what stands below it.
        fit: Whether it fills the square, or all of it is seen.
    """
    title = html.escape(title)
    picture, heard = f'<div style="{_SQUARE}"></div>', ""
    if sha256:
        heard = players.below(sha256, of)
        picture = (
            f'<img src="{addresses.thumbnail(sha256, of)}" loading="lazy" '
            f'alt="{title}" title="{title}" style="{_SQUARE};object-fit:{fit}">'
        )
    if caption:
        style = "font-size:.8rem;line-height:1.3;overflow-wrap:anywhere"
        caption = f'<figcaption style="{style}">{caption}</figcaption>'
    return f'<figure style="margin:0;min-width:0">{picture}{heard}{caption}</figure>'


def row(tiles: Iterable[str], columns: str, widest: str = "none") -> str:
    """HTML of tiles side by side.

    Args:
        tiles: As `tile` gives them.
        columns: In CSS, as a grid has them.
        widest: How wide all of it is at most, in CSS.
    """
    return (
        f'<div style="display:grid;gap:.6rem;max-width:{widest};'
        f'grid-template-columns:{columns}">{"".join(tiles)}</div>'
    )


def faint(text: str) -> str:
    """HTML of words that matter less; any text."""
    return f'<span style="opacity:.65">{html.escape(text)}</span>'
