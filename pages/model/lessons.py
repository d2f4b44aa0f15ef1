"""What freezing is and what trains now, in few words; and what is unwise in a plan."""

import streamlit as st

from pages.shared import shell
from pages.shared.words import spoken
from transfer.backbones import catalogue, freeze_edits
from transfer.backbones.freezing import Resolved

EXPLAINED = """
**Parameter sharing**: the backbone keeps all parameters that it learnt from its source,
and only a new head learns. Quick, and hard to spoil with few {words.images}.

**Feature sharing**: some parameters stay frozen, the others go on learning from your
{words.images}. Early blocks see edges and textures, which suit most {words.pictures};
late blocks see what the old task was about, so unfreeze from the end.

Either way it takes four steps:

1. **Choose a source model**: {title}, weights “{weights}”.
2. **Split its parameters** into frozen and trained: θ, what trains now, is {theta}.
3. **Train** only θ, minimising $L(θ) = E[ℓ(y, f_θ(x))]$: the loss ℓ of the model's
   answer $f_θ(x)$ to {words.an_image} x of class y, on average over train.
4. **Predict** with $f_θ$, from {words.pixels} to class names.
"""


def explain(resolved: Resolved, weights: str, head: int) -> None:
    """A fold with the kinds of transfer and the four steps, with the θ of now."""
    title = catalogue.title(resolved.structure.backbone)
    with st.expander(
        f"{_kind(resolved, weights)}: what is transferred, and what learns"
    ):
        st.markdown(
            EXPLAINED.format(
                title=shell.escape(title),
                weights=shell.escape(weights),
                theta=theta(resolved, head),
                words=spoken(),
            )
        )


def _kind(resolved: Resolved, weights: str) -> str:
    """Which kind of transfer it is."""
    if weights == "random":
        return "No transfer"
    return "Feature sharing" if resolved.trains else "Parameter sharing"


def theta(resolved: Resolved, head: int) -> str:
    """What trains: the number of parameters and the names of their blocks."""
    names = [shell.escape(name) for name in resolved.training_blocks]
    if not names:
        return f"{head:,} parameters, those of the head alone"
    # First and last blocks tell where training starts and that it reaches the top.
    if len(names) > 8:
        names = [*names[:3], "…", *names[-3:]]
    return (
        f"{resolved.trainable_parameters + head:,} parameters, those of the head, "
        f"{', '.join(names)}"
    )


def warn(resolved: Resolved, images: int, head: int) -> None:
    """What is unwise about the plan; a word on BatchNorm where it trains."""
    # Warnings and no refusal: each plan can be right for somebody who knows why.
    for lesson in freeze_edits.lessons(resolved, images, head):
        st.warning(shell.escape(lesson), icon=":material/school:")
    # Who knows BatchNorm from other programs expects its statistics to move.
    if count := freeze_edits.batch_norms(resolved):
        st.caption(
            f"{count} BatchNorm layer{'s' * (count > 1)} among them: their scale and "
            "offset train. Their mean and variance stay those of the source, because "
            "those of small batches would undo what the layers above have learnt."
        )
