"""The script that every visit runs: names the pages and runs the chosen one."""

from pathlib import Path

import streamlit as st

_PAGES = Path(__file__).resolve().parents[1]

st.navigation(
    [
        st.Page(_PAGES / "1_data.py", title="Data", url_path="data", default=True),
        st.Page(_PAGES / "2_model.py", title="Model", url_path="model"),
        st.Page(_PAGES / "3_runs.py", title="Runs", url_path="runs"),
        st.Page(_PAGES / "4_predict.py", title="Predict", url_path="predict"),
    ],
    position="top",
).run()
