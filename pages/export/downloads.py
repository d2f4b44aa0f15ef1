"""The parts of the page Export: certificate, download, code."""

from typing import Any

import streamlit as st

from pages.shared import addresses, session, shell, tables
from pages.shared.words import spoken
from transfer import workspace
from transfer.backbones import structures
from transfer.backbones.freezing import FreezePlan
from transfer.errors import NotFoundError, TransferError
from transfer.export import catalogue, keeping, orders, script
from transfer.store.record import Job, Run
from transfer.store.status import JobStatus
from transfer.upkeep import trash


def choose(run: Run) -> tuple[catalogue.Format, str]:
    """The format and the quantisation that the user wants."""
    name = st.segmented_control(
        "Format",
        list(catalogue.FORMATS),
        default="keras",
        required=True,
        format_func=lambda one: catalogue.FORMATS[one].title,
        key=f"format-{run.id}",
        help=catalogue.NOT_OFFERED,
    )
    chosen = catalogue.FORMATS[name or "keras"]
    st.caption(chosen.says)
    # A choice of one is none.
    if len(chosen.quantizations) == 1:
        return chosen, "none"
    quantize = st.segmented_control(
        "Numbers",
        list(chosen.quantizations),
        default="none",
        required=True,
        format_func=lambda one: "float32" if one == "none" else one,
        key=f"quantize-{run.id}",
        help="float16 halves the file; int8 makes a large one a quarter, takes its "
        f"ranges from training {spoken().images} and may change some answers. "
        "What changes is measured.",
    )
    return chosen, quantize or "none"


def certificate(job: Job | None) -> dict[str, Any]:
    """What a finished export answered; empty if there is none to download."""
    if job is None or job.status is not JobStatus.COMPLETED:
        return {}
    try:
        # The room for exports is bounded: an old one may be gone while its record
        # stands.
        orders.archive(job.subject)
    except NotFoundError:
        return {}
    return job.result


def line(now: dict[str, Any]) -> tuple[float, str]:
    """The share that is done, and what an export does now."""
    step, steps = now["step"], now["steps"]
    says = shell.escape(now["says"])
    return step / (steps + 1), f"Step {step} of {steps}: {says} …"


def show_done(key: str, answer: dict[str, Any]) -> None:
    """Whether it agrees, the download, and the certificate."""
    parity, archive = answer["parity"], orders.archive(key)
    if parity["agrees"]:
        says = "The exported file answers as the app does."
        # Shorter numbers may differ by design; then first guesses are what counts.
        if parity["tolerance"] is None:
            says = (
                f"{parity['agreement']:.1%} of the first guesses are the app's, as "
                "many as shorter numbers should leave. Probabilities differ more."
            )
        st.success(says, icon=":material/verified:")
    else:
        st.error(
            "The exported file does not answer as the app does. Look at the table "
            "before you use it.",
            icon=":material/error:",
        )
    # A link and not Streamlit's own download, which would hold the file in memory.
    st.link_button(
        f"Download ({workspace.amount(archive.stat().st_size)})",
        addresses.export(key),
        icon=":material/download:",
        type="primary",
    )
    st.caption(
        f"{shell.escape(archive.name)}: the model, its card, a program that predicts "
        "without this app, and one that checks the file on your machine. It holds up "
        f"to 20 of your val {spoken().images}."
    )
    # Said whether it agrees or not: who takes it away should see by how much.
    st.table(_rows(parity))
    if differing := parity["differing"]:
        with st.expander(
            f"{len(differing)} {spoken().images} with another first guess"
        ):
            tables.show(differing, hide_index=True)


def offer_delete(job: Job) -> None:
    """A button that puts an export into the trash; it can be made again as well."""
    if not session.may("delete", job):
        return
    if st.button("Delete this export", icon=":material/delete:"):
        try:
            trash.put_export(session.store(), job.subject)
        except TransferError as error:
            shell.show_error(error)
        else:
            st.rerun()


def _rows(parity: dict[str, Any]) -> dict[str, list[str]]:
    """The certificate as a table of two columns."""
    allowed = parity["tolerance"]
    rows = {
        "Compared": f"{parity['images']} {parity['split']} {spoken().images}",
        "Same first guess": f"{parity['agreement']:.1%}",
        "Largest difference of a probability": f"{parity['largest_difference']:.2g}"
        + ("" if allowed is None else f" (allowed: {allowed:g})"),
        "Size of the model": f"{parity['bytes'] / 1e6:.2f} MB",
        f"Time per {spoken().image}": f"{parity['milliseconds_per_image']:.1f} ms",
    }
    return {"Parity certificate": list(rows), "Measured": list(rows.values())}


def show_code(run: Run) -> None:
    """The run as a program, to copy."""
    revision = keeping.revision(run)
    resolved = None
    if script.needs_structure(run.config):
        structure = structures.read(run.config.backbone, run.config.image_size)
        resolved = FreezePlan.parse(run.config.freeze).resolve(structure)
    text = script.text(run, revision, resolved)
    st.caption(
        "Plain Keras, without this app: the same split, freeze plan, head and schedule."
    )
    st.download_button(
        "Download train.py",
        text,
        file_name="train.py",
        mime="text/x-python",
        icon=":material/download:",
        on_click="ignore",
    )
    for name, source in script.files_beside(run.config).items():
        st.download_button(
            f"Download {name} ({workspace.amount(source.stat().st_size)})",
            source.read_bytes,
            file_name=name,
            help="What the program starts from; put it beside it.",
            icon=":material/download:",
            on_click="ignore",
        )
    st.code(text, language="python", line_numbers=True, height=480)
