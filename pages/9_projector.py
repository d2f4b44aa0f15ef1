"""Projector: the leaderboard and the class in large type; nothing to press."""

import streamlit as st

from pages.projector import big
from pages.shared import session, shell

if session.teaches():
    big.show()
else:
    shell.begin_page("Projector")
    st.info("This page is for instructors of a workshop.", icon=":material/school:")
