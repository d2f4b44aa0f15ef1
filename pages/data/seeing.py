"""How a dataset's pictures are brought to what a model sees, as people chose it."""

from pages.shared import session
from transfer.datasets.decoding import Resizing

#: The newest runs of all that are looked through.
_LAST = 100


def last_resizing(dataset: str) -> Resizing:
    """The resizing of the newest run on the dataset, whose features are kept, too."""
    runs = session.store().runs(limit=_LAST)
    of_dataset = (run.config.resizing for run in runs if run.dataset == dataset)
    return next(of_dataset, "stretch")
