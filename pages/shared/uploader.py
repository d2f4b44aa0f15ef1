"""Our own uploader: a folder or a zip goes to the server's disk, and every file counts.

Streamlit's own loses files beyond a thousand and keeps every byte in memory.
`uploader.js` sends to the route of app.py; what lies on disk afterwards is the truth
about what arrived.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import streamlit as st

from pages.shared import addresses, component, session, tables
from transfer.datasets import kinds, wording
from transfer.datasets.ingest import frames, uploads
from transfer.datasets.revision import Kind

#: What the browser's chooser of single files offers.
_ACCEPT: dict[Kind, str] = {
    "images": "image/*,.heic,.heif,.avif",
    "sounds": "audio/*,.flac,.opus,.oga",
}
CLASSES = "One folder per class; train, val and test folders are kept as they are."


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What became of a finished upload; every chosen file is counted once.

    Attributes:
        source: The folder or zip to import; None where nothing arrived.
        upload: Its id.
        name: Of the folder or zip that was chosen; empty if several were.
        chosen: Files in what the user chose.
        arrived: Files that lie on the server's disk.
        failed: Files that were to be sent and are not there.
        left_out: Files of another kind.
        reasons: `path` and `reason` of the first failed files.
        kind: Which files were taken.
    """

    source: Path | None
    upload: str
    name: str
    chosen: int
    arrived: int
    failed: int
    left_out: int
    reasons: list[dict[str, str]]
    kind: Kind = "images"

    @property
    def summary(self) -> str:
        """The counts in one sentence."""
        if self.arrived == self.chosen:
            all_files = f"All {self.chosen:,} files" if self.chosen > 1 else "The file"
            return f"{all_files} arrived."
        counts = [f"{self.arrived:,} of {self.chosen:,} files arrived"]
        if self.failed:
            counts.append(f"{self.failed:,} failed")
        if self.left_out:
            one = wording.WORDS[self.kind].picture
            counts.append(f"{self.left_out:,} left out (not a {one})")
        return "; ".join(counts) + "."


def folder_upload(
    purpose: str = "folder",
    says: str = CLASSES,
    camera: bool = False,
    kind: Kind = "images",
) -> Arrival | None:
    """The uploader, and below it what arrived; `None` until an upload is done.

    Args:
        purpose: Tells the uploads of one page from those of another.
        says: What becomes of what is brought, in a sentence.
        camera: Whether pictures may be taken too.
        kind: Which files are taken.
    """
    key = f"{purpose}_upload"
    kept = st.session_state.setdefault(f"{key}s", {})
    if "upload" not in kept:
        # A place on disk that only this visit knows, and that is tidied away when it is
        # left.
        kept["upload"] = uploads.start(session.actor().id)
    component.load(__file__, key, says, "webcam.js")(
        key=key,
        data={
            "url": addresses.upload(kept["upload"]),
            "extensions": sorted(kinds.EXTENSIONS[kind]),
            "labels": list(kinds.LABELS),
            "beginnings": kinds.BEGINNINGS_OF[kind],
            "beginning": kinds.BEGINNING,
            "piece": frames.MAX_PIECE // 2,
            "camera": camera,
            "choose": f"Choose {wording.WORDS[kind].pictures}",
            "accept": _ACCEPT[kind],
        },
        on_done_change=lambda: _take_in(key, kind),
        on_begun_change=lambda: _forget_last(key),
    )
    arrival: Arrival | None = kept.get("arrival")
    if arrival:
        _show(arrival)
    return arrival


def has_arrived(purpose: str = "folder") -> bool:
    """Whether an upload is done and was not used yet."""
    arrival = st.session_state.get(f"{purpose}_uploads", {}).get("arrival")
    return bool(arrival and arrival.source)


def hand_over(purpose: str = "folder") -> None:
    """Leaves what was uploaded to a job, which lets it go in the end.

    The next upload goes to a place of its own, so it does not disturb the job.
    """
    kept = st.session_state[f"{purpose}_uploads"]
    kept["handed-over"] = {name: kept.pop(name) for name in ("upload", "arrival")}


def take_back(purpose: str = "folder") -> None:
    """What was handed over, for another try, unless something else came meanwhile."""
    kept = st.session_state.get(f"{purpose}_uploads", {})
    if (before := kept.pop("handed-over", None)) and "arrival" not in kept:
        if upload := kept.get("upload"):
            uploads.discard(upload)
        kept.update(before)


def let_go(purpose: str = "folder") -> None:
    """Forgets what was handed over: there is nothing to try again."""
    st.session_state.get(f"{purpose}_uploads", {}).pop("handed-over", None)


def _forget_last(key: str) -> None:
    """What an earlier upload brought is replaced, so it can no longer be used."""
    st.session_state[f"{key}s"].pop("arrival", None)


def _take_in(key: str, kind: Kind) -> None:
    done = st.session_state[key]["done"]
    kept = st.session_state[f"{key}s"]
    upload = kept["upload"]
    # Counted on the server: what the browser sent is not what arrived.
    source, arrived = uploads.source(upload), uploads.count(upload).files
    kept["arrival"] = Arrival(
        source=source if arrived else None,
        upload=upload,
        name=_name(source) if arrived else "",
        chosen=done["chosen"],
        arrived=arrived,
        failed=done["sent"] - arrived,
        left_out=done["chosen"] - done["sent"],
        reasons=done["failed"],
        kind=kind,
    )


def _name(source: Path) -> str:
    folder = source.parent if source.is_file() else source
    inside = [path.name for path in folder.iterdir()]
    # Several folders beside each other have no name in common.
    if len(inside) != 1:
        return ""
    name = uploads.true_names(folder).get(inside[0], inside[0])
    return Path(name).stem if source.is_file() else name


def _show(arrival: Arrival) -> None:
    if not arrival.failed:
        st.caption(f":material/check: {arrival.summary}")
        return
    st.warning(arrival.summary, icon=":material/warning:")
    first = len(arrival.reasons)
    some = f" (the first {first})" if first < arrival.failed else ""
    with st.expander(f"Files that did not arrive{some}", expanded=True):
        reasons = pd.DataFrame(arrival.reasons, columns=["path", "reason"])
        tables.show(reasons, hide_index=True)
