"""Names the pages and runs the chosen one."""

from pathlib import Path

import streamlit as st

from pages.shared import lesson, session, sign_in
from transfer.upkeep.metrics import page_seconds

PAGES = Path(__file__).resolve().parents[1]
LOGO = str(PAGES / "shared" / "logo.png")

is_let_in = sign_in.is_done()
teaches = is_let_in and session.teaches()
# By path and not by function: AppTest and links find a page by its file only.
page = st.navigation(
    [
        st.Page(PAGES / "1_data.py", title="Data", url_path="start", default=True),
        st.Page(PAGES / "2_model.py", title="Model", url_path="model"),
        st.Page(PAGES / "3_runs.py", title="Runs", url_path="runs"),
        st.Page(PAGES / "4_evaluate.py", title="Evaluate", url_path="evaluate"),
        st.Page(PAGES / "5_predict.py", title="Predict", url_path="predict"),
        st.Page(PAGES / "6_export.py", title="Export", url_path="export"),
        st.Page(PAGES / "7_weights.py", title="Weights", url_path="weights"),
        # Found from the page Export, for who asks by a program.
        st.Page(
            PAGES / "9_programs.py",
            title="API",
            url_path="programs",
            visibility="hidden",
        ),
        st.Page(
            PAGES / "8_workshop.py",
            title="Workshop",
            url_path="workshop",
            visibility="visible" if teaches else "hidden",
        ),
        st.Page(
            PAGES / "9_projector.py",
            title="Projector",
            url_path="projector",
            visibility="hidden",
        ),
        st.Page(PAGES / "9_storage.py", title="Storage", url_path="storage"),
        # The first page has no path of its own; who types one is not told off.
        st.Page(
            PAGES / "1_data.py", title="Data", url_path="data", visibility="hidden"
        ),
    ],
    position="top" if is_let_in else "hidden",
)
st.set_page_config(
    page_title=f"{page.title} · Transfer Studio",
    page_icon=LOGO,
    layout="wide",
)
st.logo(LOGO, size="large")
if is_let_in:
    sign_in.show_who()
    session.note_page(page.title)
    with page_seconds.labels(page.title).time():
        page.run()
        lesson.offer(page.title)
else:
    sign_in.show()
