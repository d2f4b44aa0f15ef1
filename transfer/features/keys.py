"""What shelves are called: by all that the features on them depend on."""

from transfer.datasets import renderings
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering


def of_shelf(
    engine: str,
    bfloat16: bool,
    rendering: Rendering | None,
    resizing: Resizing = "stretch",
) -> str:
    """Names a shelf: the prefix that computes its features, and all else they are of.

    Args:
        engine: Names the prefix, see `Tensor.engine`.
        bfloat16: Whether it computed in bfloat16.
        rendering: The dataset's rendering, see `Revision.rendering`.
        resizing: How pictures of another shape are brought to the model's.
    """
    return f"{engine}{'-bfloat16' * bfloat16}{of_reading(rendering, resizing)}"


def of_reading(rendering: Rendering | None, resizing: Resizing) -> str:
    """The part of a key that says how pictures are read."""
    # Those of stretched pictures, which all were once, keep their keys.
    return renderings.key(rendering) + f"-{resizing}" * (resizing != "stretch")
