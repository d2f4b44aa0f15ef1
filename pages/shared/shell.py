"""What every page begins with, and how errors and empty pages speak to a person."""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from transfer.errors import TransferError

PAGES = Path(__file__).resolve().parents[1]
DATA = PAGES / "1_data.py"
MODEL = PAGES / "2_model.py"
RUNS = PAGES / "3_runs.py"
PREDICT = PAGES / "4_predict.py"

# A local picture: for a material icon the browser would ask fonts.gstatic.com.
_LOGO = str(PAGES / "shared" / "logo.svg")
_STYLE = (PAGES / "shared" / "style.css").read_text(encoding="utf-8")


def begin_page(title: str, lead: str) -> None:
    """The head of a page: its name in the browser's tab, a heading and one sentence."""
    st.set_page_config(
        page_title=f"{title} · Transfer Studio", page_icon=_LOGO, layout="wide"
    )
    st.logo(_LOGO, size="large")
    st.html(f"<style>{_STYLE}</style>")
    st.title(title, anchor=False)
    st.html(f'<p class="lead">{html.escape(lead)}</p>')


@contextmanager
def errors_shown() -> Iterator[None]:
    """Shows an error that a user can mend in place of what the block would show."""
    try:
        yield
    except TransferError as error:
        show_error(error.message, error.hint)


def show_error(message: str, hint: str = "") -> None:
    """A message and how to mend it, whatever characters they hold."""
    text = plain(message)
    st.error(f"{text}\n\n{plain(hint)}" if hint else text, icon=":material/error:")


def show_unexpected(error: Exception) -> bool:
    """Shows what nobody caught in plain words; Streamlit has put it into the log."""
    if isinstance(error, TransferError):
        show_error(error.message, error.hint)
    else:
        show_error(
            "Something went wrong that should not have.",
            "The server's log says what. Reload the page to go on.",
        )
    return True


def plain(text: str) -> str:
    """The text as Markdown that shows it letter by letter."""
    marked = "".join(f"\\{c}" if c in r"\`*_{}[]()#+!|~$:<>" else c for c in text)
    return marked.replace("\n", " ")


def teach(title: str, text: str, page: Path | None = None, label: str = "") -> None:
    """An empty page's content: what is missing, and the way there."""
    with st.container(border=True, key="teach"):
        st.subheader(title, anchor=False)
        st.write(text)
        if page is not None:
            st.page_link(page, label=label, icon=":material/arrow_forward:")


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun, such as `1 image` or `3,670 images`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: float) -> str:
    """Bytes in words, such as `48.2 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
