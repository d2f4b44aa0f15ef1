"""Reads a listing of files as a dataset: by files of labels, or else by folders."""

from transfer.datasets.ingest import class_folders, labelled
from transfer.datasets.ingest.class_folders import Index
from transfer.datasets.ingest.layouts import Reading
from transfer.datasets.ingest.sources import Source
from transfer.datasets.wording import WORDS
from transfer.errors import DatasetError


def read_index(
    source: Source,
    reading: Reading = Reading(),  # noqa: B008
    is_whole: bool = True,
) -> Index:
    """The classes and splits of a listing; label order never depends on its order.

    Args:
        source: The listing.
        reading: How it is to be read where that is not found out.
        is_whole: Whether it must make a dataset by itself, of two classes or more.

    Raises:
        DatasetError: There are too few classes; it says what was found instead.
    """
    if reading.layout in (None, "labels"):
        asked, fewest = reading.layout == "labels", 2 if is_whole else 1
        found = labelled.read_index(source, asked, fewest)
        if found and len(found.class_names) >= fewest:
            return found
        if asked:
            raise DatasetError(
                "There is no file of labels that gives the "
                f"{WORDS[source.kind].pictures} two classes.",
                "Put a labels.csv beside them, with the columns file_name and label.",
            )
    return class_folders.read_index(source, reading, is_whole)
