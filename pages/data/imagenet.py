"""What ImageNet says of a dataset: the source model's names for it, untrained."""

import html
import math
from pathlib import Path

import streamlit as st

from pages.shared import job_progress, shell, tiles
from transfer.advice import imagenet_names
from transfer.advice.imagenet_names import ClassNames, Name, SourceNames
from transfer.backbones import catalogue, weights
from transfer.datasets.names import in_words
from transfer.datasets.revision import Revision

PAGES = Path(__file__).resolve().parents[1]
#: Classes on one page of them.
CLASSES = 10


def show(revision: Revision) -> None:
    """The fold."""
    backbone = catalogue.get(catalogue.DEFAULT)
    request = imagenet_names.request(revision)
    job = job_progress.find(request)
    with st.expander(
        "What does ImageNet say of these pictures?",
        icon=":material/travel_explore:",
        expanded=job_progress.stays_open("imagenet", job),
    ):
        st.caption(
            f"{backbone.title} was pretrained on ImageNet, 1.3 million photographs of "
            "1,000 classes. As it comes it can only answer with those: see what it "
            "calls your pictures, before anything is trained. It is unsure where no "
            "class reaches one half."
        )
        if said := imagenet_names.kept_names(revision):
            _show(said, revision)
        elif not weights.is_at_hand(backbone):
            shell.show_error(weights.missing(backbone))
        else:
            if not job_progress.goes_on(job) and st.button(
                "Ask it", icon=":material/play_arrow:"
            ):
                job_progress.ask(request)
            job_progress.show(job, job_progress.count_line("Pictures looked at"))


def _show(said: SourceNames, revision: Revision) -> None:
    st.markdown(_lesson(said))
    st.page_link(
        PAGES / "2_model.py",
        label="Teach it your classes",
        icon=":material/arrow_forward:",
        query_params={"dataset": revision.dataset},
    )
    pages = math.ceil(len(said.classes) / CLASSES)
    place, page = st.container(), 1
    if pages > 1:
        page = st.pagination(pages, key=f"imagenet-{revision.id}")
    with place:
        for one in said.classes[(page - 1) * CLASSES : page * CLASSES]:
            st.markdown(f"**{shell.escape(one.class_name)}** {_facts(one)}")
            st.html(_gallery(one, revision))


def _lesson(said: SourceNames) -> str:
    """What the answers teach, in Markdown: why there is a new head, or why not."""
    known = [one.class_name for one in said.classes if one.own]
    of = len(said.classes)
    if not known:
        text = f"**None of your {of:,} classes is one of ImageNet's.**"
    elif len(known) == of:
        text = (
            f"**All of your {of:,} classes are among ImageNet's**, so the source model "
            "can be taken as it is, without any training (method “The source model as "
            "it is”), if it is often enough right below."
        )
    else:
        names = shell.escape(in_words(known, 5))
        text = f"**Of your {of:,} classes ImageNet has {len(known):,}: {names}.**"
    if len(known) < of:
        text += (
            " It can only call {} what looks most alike. A new head is "
            "needed: it takes what the model sees, the numbers below its last layer, "
            "and learns your classes from them, while all that was learnt before "
            "stays. That is transfer learning."
        ).format("the others" if known else "them")
    if said.translated is not None and said.guessed is not None:
        text += (
            "\n\nEven these names tell your classes apart: were each read as the class "
            f"that gets it most often in train, {said.translated:.0%} of val would be "
            f"right (always the largest class: {said.guessed:.0%}). What it sees holds "
            "more than the one name that it says."
        )
    return text


def _facts(one: ClassNames) -> str:
    """How often it is right or unsure, in Markdown."""
    facts = []
    if one.right is not None:
        facts.append(f"called so: {one.right:.0%}")
    facts.append(f"{one.different:,} names for {one.images:,} images")
    facts.append(f"unsure of {one.unsure:.0%}")
    return f":gray[· {' · '.join(facts)}]"


def _gallery(one: ClassNames, of: Revision) -> str:
    """HTML of a row: its names with an image each, and the one it is least sure of."""
    made = [_tile(name, f"{name.share:.0%} of them", of) for name in one.names]
    made.append(_tile(one.doubtful, f"least sure: {one.doubtful.sure:.0%}", of))
    return tiles.row(made, "repeat(auto-fit,minmax(5.4rem,1fr))", "46rem")


def _tile(name: Name, says: str, of: Revision) -> str:
    title, caption = f"{name.name}, {name.sure:.0%} sure", html.escape(name.name)
    return tiles.tile(name.example, title, of, f"{caption} {tiles.faint(says)}")
