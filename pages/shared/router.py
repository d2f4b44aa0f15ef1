"""Names the pages and runs the chosen one."""

from pathlib import Path

import streamlit as st

PAGES = Path(__file__).resolve().parents[1]

st.set_page_config(
    page_title="Transfer Studio",
    page_icon=str(PAGES / "shared" / "logo.png"),
    layout="wide",
)
st.navigation(
    [
        st.Page(PAGES / "1_data.py", title="Data", url_path="data", default=True),
        st.Page(PAGES / "2_model.py", title="Model", url_path="model"),
        st.Page(PAGES / "3_runs.py", title="Runs", url_path="runs"),
        st.Page(PAGES / "4_evaluate.py", title="Evaluate", url_path="evaluate"),
        st.Page(PAGES / "5_predict.py", title="Predict", url_path="predict"),
        st.Page(PAGES / "6_export.py", title="Export", url_path="export"),
        st.Page(PAGES / "7_weights.py", title="Weights", url_path="weights"),
    ],
    position="top",
).run()
