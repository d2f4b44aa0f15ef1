"""The microphone, and what helps where the browser does not let it be heard."""

import streamlit as st


def record(label: str, key: str, about: str = "") -> bytes:
    """A WAV of what somebody has recorded; empty until then.

    Args:
        label: What it is recorded for.
        key: Tells it from other microphones.
        about: What becomes of it, as a help text.
    """
    if taken := st.audio_input(label, key=key, help=about or None):
        return taken.getvalue()
    # Streamlit's own words for a refusal are cut off on a phone.
    st.caption(
        "If nothing is recorded, let this page use the microphone (at the browser's "
        "address bar) and reload it. Browsers offer it on https and on this machine "
        "itself, not on plain http from elsewhere."
    )
    return b""
