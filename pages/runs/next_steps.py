"""What can be done with a run that has ended: resume it, repeat it, go on from it."""

import streamlit as st

from pages.shared import session, shell
from pages.shared.words import spoken
from transfer.backbones import structures
from transfer.backbones.freezing import FreezePlan, trainable_blocks
from transfer.backbones.structure import Structure
from transfer.datasets import names
from transfer.errors import TransferError
from transfer.runs import continuing, queue
from transfer.store.record import Run, default_name


def show_buttons(run: Run) -> None:
    """Buttons of a run that has ended; to be called within a row."""
    if run.status.is_resumable:
        st.button(
            "Resume",
            icon=":material/resume:",
            type="primary",
            help="Goes on from the last checkpoint, to the same end as without the "
            "pause. Without a checkpoint it starts from the beginning.",
            on_click=resume,
            args=(run.id,),
        )
    # Without a model there is nothing to continue from, only to begin anew.
    if not run.result.get("class_names"):
        st.button(
            "Start again",
            icon=":material/replay:",
            help="Queues a new run with the same settings.",
            on_click=start_again,
            args=(run,),
        )
    elif st.button(
        "Continue from here",
        icon=":material/forward:",
        help="A new run that starts from this one's model: for more epochs, with "
        "more data or with more of the backbone unfrozen.",
    ):
        show_form(run)


def resume(run_id: str) -> None:
    """Queues the run again."""
    try:
        queue.resume(session.store(), run_id)
    except TransferError as error:
        _toast(error)


def start_again(run: Run) -> None:
    """A new run of the same settings; its page opens."""
    # In a callback: the page then opens with the new run at once.
    try:
        st.query_params["run"] = queue.submit(session.store(), run.config, run.name).id
    except TransferError as error:
        _toast(error)


def _toast(error: TransferError) -> None:
    st.toast(shell.escape(str(error)), icon=":material/error:")


@st.dialog("Continue from this run")
def show_form(run: Run) -> None:
    """Asks what shall be different, and starts the new run."""
    config = run.config
    try:
        revision = session.load(config.dataset)
        structure = structures.read(config.backbone, config.image_size)
        _tell_of_data(run, len(revision.images))
        left, right = st.columns(2)
        head = left.number_input("Epochs of the head phase", 1, 1000, 1)
        tune = right.number_input(
            "Epochs of the fine-tuning phase", 0, 1000, config.fine_tune_epochs
        )
        freeze = _freeze(config.freeze, structure)
        # The name that it would get says what trains, which may change here.
        named = "" if run.name == default_name(config) else f"{run.name}, continued"
        name = st.text_input(
            "Name of the run", named, placeholder="Left empty, it gets one"
        )
        if not st.button("Start", type="primary", icon=":material/play_arrow:"):
            return
        new = continuing.settings(
            run,
            revision,
            head_epochs=int(head),
            fine_tune_epochs=int(tune),
            freeze=freeze,
        )
        st.query_params["run"] = queue.submit(session.store(), new, name).id
    except TransferError as error:
        shell.show_error(error)
        return
    st.rerun()


def _tell_of_data(run: Run, images: int) -> None:
    before = len(session.load(run.config.dataset, run.config.revision).images)
    more = f", {images - before:+,} since that run" if images != before else ""
    st.caption(
        f"On {images:,} {spoken().images} of "
        f"{shell.escape(names.title(run.dataset))}{more}."
    )


def _freeze(plan: str, structure: Structure) -> str:
    """The plan of the run, or one that lets the last so many blocks train."""
    # Counted from the end, since later blocks are the ones to unfreeze.
    blocks = trainable_blocks(structure)
    parsed = FreezePlan.parse(plan)
    options = ["all", *(f"last:{n}" for n in range(1, len(blocks) + 1)), "none"]
    # Single blocks or layers, which the list cannot offer, but must not lose.
    if str(parsed) not in options:
        options.insert(0, str(parsed))
    return str(
        st.selectbox(
            "What trains besides the head",
            options,
            options.index(str(parsed)),
            format_func=_plan_words,
            help=f"More blocks learn more of your {spoken().images} and take longer.",
        )
    )


def _plan_words(plan: str) -> str:
    kind, _, rest = plan.partition(":")
    words = {"all": "Nothing: all frozen", "none": "Everything"}
    if kind == "last":
        return "The last block" if rest == "1" else f"The last {rest} blocks"
    return words.get(plan, f"As in that run: {plan}")
