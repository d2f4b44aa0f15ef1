"""API: what a program asks this server, ready to paste, and with which token."""

from urllib.parse import urlsplit

import streamlit as st

from pages.programs import tokens
from pages.shared import addresses, run_choice, session, shell, tables
from transfer.api import lines, routes
from transfer.people import auth
from transfer.people.auth import Mode
from transfer.store.record import Run


def root() -> str:
    """The address of this server as whoever looks at the page reaches it."""
    url = urlsplit(str(st.context.url or "http://localhost:8501"))
    return f"{url.scheme}://{url.netloc}{addresses.base()}"


def show_lines(run: Run) -> None:
    """How a program asks the run."""
    told = lines.of_run(root(), run.id, is_signed_in, run.dataset_kind)
    if is_signed_in:
        made = st.session_state.get("token-made", "the token")
        st.code(f"{lines.TOKEN}'{made}'", language="bash", wrap_lines=True)
    shell_tab, python_tab = st.tabs(["curl", "Python"])
    with shell_tab:
        st.code(told.one, language="bash", wrap_lines=True)
        st.caption(told.about)
        st.code(told.several, language="bash", wrap_lines=True)
    python_tab.code(told.python, language="python")


shell.begin_page("API", "What the pages do, for your own programs.")
is_signed_in = auth.mode() is not Mode.OPEN
with_model = session.store().summaries(with_model=True)
if with_model:
    show_lines(run_choice.choose(with_model))
else:
    run_choice.show_none(
        "Once a run has ended, the lines by which a program asks it stand here.",
        ":material/api:",
    )
st.header("Tokens", anchor=False)
if is_signed_in:
    st.caption("With a token, a program sees what you see. Keep it as a password.")
    tokens.show()
    if session.may("tokens"):
        tokens.show_others()
else:
    st.caption("None is needed: nobody signs in here.")
st.header("All that can be asked", anchor=False)
tables.show(
    [
        {"Method": one.method, "Path": one.path, "What it does": one.says}
        for one in routes.outline()
    ],
    hide_index=True,
)
st.link_button(
    "Description (OpenAPI)",
    f"{addresses.base()}/api/openapi.json",
    icon=":material/description:",
)
