"""The frame of every page: title, and errors in words."""

import logging
import re

import streamlit as st

from pages.shared import lesson, words
from transfer.errors import TransferError

#: What is written on the primary colour: Streamlit's white is too faint on dark's.
ON_PRIMARY = {"light": "#ffffff", "dark": "#12171c"}
#: The last rules put words where Streamlit has none: the app's name beside its picture,
#: and on a phone what the arrows open.
_STYLE = """<style>
[data-testid^="stBaseButton-primary"],
[data-testid="stMultiSelectTagsContainer"] span {{ color: {}; }}
:has(> [data-testid="stHeaderLogo"]), :has(> [data-testid="stSidebarLogo"]) {{
  display: flex; align-items: center; gap: 0.5rem; white-space: nowrap;
  color: inherit; font-weight: 650;
}}
:has(> [data-testid="stHeaderLogo"])::after,
:has(> [data-testid="stSidebarLogo"])::after {{ content: "Transfer Studio"; }}
[data-testid="stExpandSidebarButton"] {{ width: auto; }}
[data-testid="stExpandSidebarButton"]::after {{
  content: "Pages"; padding-right: 0.3rem; font-size: 0.9rem;
}}
</style>"""
#: The script runs again at every rerun of the page.
_SCROLL = """
const HEADER = 60;
export default function ({ parentElement }) {
  const here = parentElement.host ?? parentElement;
  if (here.wasSeen) return;
  here.wasSeen = true;
  const show = () => {
    const { top, bottom } = here.getBoundingClientRect();
    if (top > HEADER && bottom < innerHeight) return;
    here.scrollIntoView({ block: 'center' });
  };
  show();
  // What comes later above it would push it away, until somebody does something.
  const watch = new ResizeObserver(show);
  watch.observe(here.closest('[data-testid="stMainBlockContainer"]'));
  for (const one of ['wheel', 'touchstart', 'pointerdown', 'keydown'])
    addEventListener(one, () => watch.disconnect(), { once: true, capture: true });
}
"""
_log = logging.getLogger(__name__)


def begin_page(title: str, says: str = "") -> None:
    """Opens a page, with the first lesson beside its title.

    Args:
        title: Its heading.
        says: One line below it: what this page is for.
    """
    words.speak_of("images")  # until the page has chosen what it is about
    theme = "dark" if st.context.theme.type == "dark" else "light"
    # At each run of the page: Streamlit drops what a run does not write again.
    st.html(_STYLE.format(ON_PRIMARY[theme]))
    with st.container(horizontal=True, key="page-head"):
        with st.container(gap="small"):
            st.title(title, anchor=False)
            if says:
                st.caption(says)
        lesson.show(title)


def escape(text: str) -> str:
    """The text as Markdown that shows exactly these characters."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>&])", r"\\\1", " ".join(text.split()))


def show_error(error: TransferError) -> None:
    """An error that the user can mend: what happened, then how."""
    text = f"{escape(error.message)}\n\n{escape(error.hint)}"
    st.error(text.strip(), icon=":material/error:")


def show_unexpected(error: Exception) -> bool:
    """Shows what a page did not handle; the trace goes to the server's log only."""
    if isinstance(error, TransferError):
        show_error(error)
    else:
        # A trace helps nobody who looks at the page, and may name files of the server.
        _log.error("A page failed", exc_info=error)
        st.error(
            "Something went wrong on this page, and nothing of yours was lost. Reload "
            "it; if that does not help, the server's log has the details.",
            icon=":material/error:",
        )
    return True


def scroll_here(key: str) -> None:
    """Brings this place of the page into view, once.

    Args:
        key: Of what is to be seen here; another one is brought into view again.
    """
    st.components.v2.component("scroll_here", js=_SCROLL)(key=f"scroll-{key}")
