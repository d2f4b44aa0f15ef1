"""Players of recordings, beside what is told of them."""

from pages.shared import addresses
from transfer.datasets.revision import Kind, Revision
from transfer.store.record import Run


def below(sha256: str, of: Run | Revision, kind: Kind | None = None) -> str:
    """HTML of a player that stands below a picture; empty where there are no sounds.

    Nothing is fetched before somebody presses it.

    Args:
        sha256: The recording.
        of: The run or revision with which it is heard.
        kind: Of the files, where a run at work does not say it yet.
    """
    kind = kind or (of.kind if isinstance(of, Revision) else of.dataset_kind)
    if kind != "sounds":
        return ""
    return (
        f'<audio controls preload="none" src="{addresses.sound(sha256, of)}" '
        'style="width:100%;height:2rem;display:block;margin-top:.2rem"></audio>'
    )
