"""What a run will take, told before it starts."""

from typing import Any

import streamlit as st

from pages.shared import amounts, job_progress, session, shell
from transfer import workspace
from transfer.backbones.freezing import Resolved
from transfer.config import TrainConfig
from transfer.runs import estimates, requests


def show(
    config: TrainConfig, resolved: Resolved, images: tuple[int, int], places: Any
) -> None:
    """What the run will take, and a way to know it better.

    Args:
        config: The settings.
        resolved: Its freeze plan.
        images: Number of training images and of val images.
        places: Beside the freeze plan, for seconds of an epoch and disk.
    """
    factor = estimates.learn_factors(session.store())(config)
    takes = estimates.estimate(config, resolved, images, factor)
    one_epoch = f"about {amounts.about(takes.epoch_seconds)}"
    # Beside the plan, far above: they change with each click in the drawing.
    places[0].metric("One epoch", one_epoch, width="content")
    places[1].metric("On disk", workspace.amount(takes.disk_bytes), width="content")
    disk = workspace.amount(takes.disk_bytes)
    memory = workspace.amount(takes.memory_bytes)
    st.markdown(
        f"**About {amounts.about(takes.seconds)}** · {disk} on disk · {memory} of "
        f"memory  \n:gray[:small[{shell.escape(takes.why)}]]"
    )
    # Once measured there is nothing more to know before a run.
    if takes.measured:
        return
    request = requests.measure(config.backbone, config.image_size)
    job = job_progress.find(request)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            "A rough estimate: this backbone was never measured here.", width="content"
        )
        if not job_progress.goes_on(job) and st.button(
            "Measure on this machine", icon=":material/speed:"
        ):
            job_progress.ask(request)
    job_progress.show(job, _line, cancelled="Cancelled.")


def _line(now: dict[str, Any]) -> tuple[float, str]:
    """The share that is done, and what the measuring does now."""
    if now["doing"] == "import":
        return 0.0, job_progress.LOADING
    return 0.4, "Measuring; up to a minute …"
