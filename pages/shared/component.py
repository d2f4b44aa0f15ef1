"""Components of our own: each is drawn by HTML, a style and a script beside a page."""

from pathlib import Path
from typing import Any

import streamlit as st

PLOTLY = "plotly.js"


@st.cache_resource(show_spinner=False)
def load(module: str, key: str = "", says: str = "", also: str = "") -> Any:
    """The component of a module, made of the files beside it that are named like it.

    Args:
        module: The module's `__file__`; `.html` and `.js` lie beside it, `.css` may.
        key: Tells two of one module apart.
        says: Stands where the HTML has `<!--says-->`.
        also: A script of this folder that it needs besides, such as `PLOTLY`.
    """
    html, css, js = (Path(module).with_suffix(end) for end in (".html", ".css", ".js"))
    scripts = [Path(__file__).with_name(also)] if also else []
    return st.components.v2.component(
        key or js.stem,
        html=html.read_text("utf-8").replace("<!--says-->", says),
        css=css.read_text("utf-8") if css.exists() else None,
        js="".join(one.read_text("utf-8") for one in [*scripts, js]),
        isolate_styles=also != PLOTLY,  # its own styles reach its charts only so
    )
