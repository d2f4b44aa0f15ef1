"""What goes by itself once its time is over: the server looks every hour."""

import logging
from collections.abc import Callable

from transfer.datasets import archive, chosen, thumbnails
from transfer.datasets.ingest import uploads
from transfer.errors import TransferError
from transfer.store.runs import Store
from transfer.upkeep import trash

_log = logging.getLogger(__name__)


def tidy(open_store: Callable[[], Store]) -> None:
    """Forgets old uploads, thumbnails, choices, zips, and what is in the trash.

    A problem of one of them is told to the log, and keeps none of the others.
    """
    of_files = (uploads, thumbnails, chosen, archive)
    for discard in (
        *(one.discard_old for one in of_files),
        lambda: trash.discard_old(open_store()),
    ):
        try:
            discard()
        except (OSError, TransferError):
            _log.exception("Old files could not be removed")
