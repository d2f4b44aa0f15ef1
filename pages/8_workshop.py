"""Workshop: who gets on how, what is handed out, the leaderboard; for who teaches."""

import streamlit as st

from pages.shared import session, shell
from pages.workshop import handing, joining, people, test_set
from transfer.errors import TransferError

shell.begin_page("Workshop", "Your class: who gets on how, and what all of them have.")
if not session.teaches():
    st.info("This page is for instructors of a workshop.", icon=":material/school:")
    st.stop()
try:
    joining.show()
    st.header("The class", anchor=False)
    people.show()
    if st.button("Stop everything of the class", icon=":material/stop_circle:"):
        people.confirm_stop()
    own = handing.mine()
    st.header("Handed out", anchor=False)
    handing.show(own)
    st.header("Leaderboard on a hidden test set", anchor=False)
    test_set.show(own)
except TransferError as error:
    shell.show_error(error)
