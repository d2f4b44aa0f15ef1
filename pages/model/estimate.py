"""What a run will take, told before it starts."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.shared import amounts, job_progress, session, shell
from transfer import workspace
from transfer.backbones.freezing import Resolved
from transfer.config import TrainConfig
from transfer.runs import estimates, requests
from transfer.runs.estimates import Estimate
from transfer.runs.shared_reads import OnceAWhile

#: Seconds for which stands what the last runs have taught of the time that runs take.
_FRESH = 5.0


def show(config: TrainConfig, resolved: Resolved, images: tuple[int, int]) -> Estimate:
    """What the run will take.

    Args:
        config: The settings.
        resolved: Its freeze plan.
        images: Number of training images and of val images.
    """
    factor = _factors().get(lambda: estimates.learn_factors(session.store()))(config)
    takes = estimates.estimate(config, resolved, images, factor)
    disk = workspace.amount(takes.disk_bytes)
    memory = workspace.amount(takes.memory_bytes)
    why = shell.escape(takes.why)
    if not takes.measured:
        why += " A rough estimate: this backbone was never measured here."
    st.markdown(
        f"**About {amounts.about(takes.seconds)}** · {disk} on disk · {memory} of "
        f"memory  \n:gray[:small[{why}]]",
        width="content",
    )
    return takes


@st.cache_resource(show_spinner=False)
def _factors() -> OnceAWhile[Callable[[TrainConfig], float]]:
    # Of everybody's runs, and so for everybody.
    return OnceAWhile(_FRESH)


def offer_measuring(config: TrainConfig, takes: Estimate) -> None:
    """A way to know the time better, unless there is nothing more to know."""
    if takes.measured:
        return
    request = requests.measure(config.backbone, config.image_size)
    job = job_progress.find(request)
    if not job_progress.goes_on(job) and st.button(
        "Measure on this machine",
        help="How fast the backbone is here: a better estimate of what a run takes.",
        icon=":material/speed:",
    ):
        job_progress.ask(request)
    job_progress.show(job, _line, cancelled="Cancelled.")


def _line(now: dict[str, Any]) -> tuple[float, str]:
    """The share that is done, and what the measuring does now."""
    if now["doing"] == "import":
        return 0.0, job_progress.LOADING
    return 0.4, "Measuring; up to a minute …"
