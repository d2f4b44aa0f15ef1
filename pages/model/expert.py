"""Whether the page shows all that there is to set; each browser remembers it."""

import streamlit as st

#: For a year, in the browser: there are no accounts, and a reload is a new session.
_COOKIE = "transfer-studio-expert"
_REMEMBER = f"""
export default function ({{ data }}) {{
  document.cookie = `{_COOKIE}=${{data}}; path=/; max-age=31536000; SameSite=Lax`;
}}
"""


def remembers() -> bool:
    """What the browser said when the session began."""
    return st.context.cookies.get(_COOKIE) == "1"


def is_on() -> bool:
    """How the switch stands."""
    # The session knows better than the browser, once it was touched.
    return bool(st.session_state.setdefault("expert", remembers()))


def switch() -> None:
    """The switch."""
    now = is_on()
    st.toggle(
        "Expert",
        key="expert",
        persist_state="session",
        help="Shows all other settings, and what helps to choose them: weights, input "
        "size, ranking of backbones, single blocks and layers, epochs, learning rates, "
        "augmentation, settings as a file. This browser remembers it.",
    )
    component = st.components.v2.component("remember_expert", js=_REMEMBER)
    component(key="remember-expert", data=int(now))
