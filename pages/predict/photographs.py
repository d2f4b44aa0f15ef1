"""The ways in which photographs and recordings to try come to the page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import streamlit as st

from pages.predict.answers import Picture
from pages.shared import microphone, session, shell, uploader
from pages.shared.words import spoken
from transfer import workspace
from transfer.datasets.ingest import loose_pictures, uploads
from transfer.datasets.ingest.frames import Piece
from transfer.datasets.revision import Kind
from transfer.errors import TransferError
from transfer.prediction.answers import Answer

WAYS: dict[Kind, dict[str, str]] = {
    "images": {
        "Photographs": ":material/photo_library:",
        "Folder or zip": ":material/folder_zip:",
        "Camera": ":material/photo_camera:",
    },
    "sounds": {
        "Recordings": ":material/audio_file:",
        "Folder or zip": ":material/folder_zip:",
        "Microphone": ":material/mic:",
    },
}

#: Endings of sounds that the chooser of files offers.
_SOUNDS = ["wav", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "au", "caf"]

#: Hands pictures that are pasted anywhere on the page to Streamlit's own uploader,
#: which takes them by drop and by choice only (1.67).
_PASTE = """
export default function () {
  const paste = event => {
    const files = [...(event.clipboardData?.files ?? [])]
      .filter(file => file.type.startsWith('image/'));
    const input = document.querySelector('.st-key-photographs input[type=file]');
    if (!files.length || !input) return;
    event.preventDefault();
    const time = new Date().toTimeString().slice(0, 8).replaceAll(':', '.');
    const handed = new DataTransfer();
    for (const file of files) {
      const name = `pasted ${time}.${file.type.split('/')[1]}`;
      handed.items.add(new File([file], name, { type: file.type }));
    }
    input.files = handed.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  };
  document.addEventListener('paste', paste);
  return () => document.removeEventListener('paste', paste);
}
"""


def choose(kind: Kind) -> list[Picture]:
    """The pictures, or recordings, that the user brought in the chosen way."""
    ways = WAYS[kind]
    way = st.segmented_control(
        f"Where the {spoken().pictures} come from",
        list(ways),
        default=next(iter(ways)),
        required=True,
        format_func=lambda one: f"{ways[one]} {one}",
        label_visibility="collapsed",
        key=f"way-{kind}",
    )
    brought: dict[str, Callable[[], list[Picture]]] = {
        "Photographs": _from_upload,
        "Camera": _from_camera,
        "Recordings": _sounds_from_upload,
        "Microphone": _from_microphone,
        "Folder or zip": lambda: _of_folder(kind),
    }
    return brought[way]()


def source_of(
    pictures: Sequence[Picture], said: Sequence[Answer]
) -> tuple[Path, str, list[Answer]]:
    """Where a job finds these pictures, and what was said of them by their names there.

    Returns:
        The folder or zip; an upload to let go afterwards, empty for none; the answers.
    """
    found: tuple[Path, list[Picture]] | None = st.session_state.get("predict-found")
    if found and all(isinstance(one.content, Path) for one in pictures):
        return found[0], "", [*said]
    # Held in memory: several photographs may have one name.
    upload = uploads.start(session.actor().id)
    answers = []
    for picture, one in zip(pictures, said, strict=True):
        path, content = f"{picture.key[:8]}-{picture.name}", picture.read()
        piece = Piece(path=path, offset=0, total=len(content), content=content)
        uploads.store(upload, [piece])
        answers.append(replace(one, path=path))
    return uploads.source(upload), upload, answers


def _from_upload() -> list[Picture]:
    files = st.file_uploader(
        "Photographs: drop, choose, or paste with Ctrl+V",
        accept_multiple_files=True,
        key="photographs",
        help="JPEG, PNG, WebP, HEIC, AVIF, TIFF, BMP, GIF or PPM. One that fails with "
        "413 is larger than a proxy before the server takes (client_max_body_size in "
        "nginx); under “Folder or zip” it comes in pieces.",
    )
    st.components.v2.component("paste_picture", js=_PASTE)(key="paste")
    if any(file.name.lower().endswith(".zip") for file in files):
        st.info("A zip of pictures goes under “Folder or zip”, above.")
    return [
        Picture.of(file.name, file.getvalue())
        for file in files
        if not file.name.lower().endswith(".zip")
    ]


def _from_camera() -> list[Picture]:
    # Not over the whole page: the button below the picture would be out of sight.
    taken = st.camera_input("A picture from the camera", key="camera", width=640)
    return [Picture.of("camera.jpg", taken.getvalue())] if taken else []


def _sounds_from_upload() -> list[Picture]:
    files = st.file_uploader(
        "Recordings: drop or choose",
        type=_SOUNDS,
        accept_multiple_files=True,
        key="recordings",
    )
    return [Picture.of(file.name, file.getvalue()) for file in files]


def _from_microphone() -> list[Picture]:
    taken = microphone.record("Record with the microphone", "recording")
    return [Picture.of("recording.wav", taken)] if taken else []


def _of_folder(kind: Kind) -> list[Picture]:
    arrival = uploader.folder_upload(
        "predict" if kind == "images" else "predict-sounds",
        f"Every {spoken().picture} in it is asked about, in whatever folder it lies.",
        kind=kind,
    )
    if not arrival or not arrival.source:
        return []
    # Unpacked once: each rerun of the page would take as long again.
    kept: tuple[Path, list[Picture]] | None = st.session_state.get("predict-found")
    if kept and kept[0] == arrival.source:
        return kept[1]
    found = _unpack(arrival.source, kind)
    st.session_state["predict-found"] = (arrival.source, found)
    return found


def _unpack(source: Path, kind: Kind) -> list[Picture]:
    # Unpacked beside what was sent, and so forgotten with it.
    upload = source if source.is_dir() else source.parent
    folder = workspace.folder("uploads", upload.parent.name, "unpacked")
    try:
        with st.spinner(f"Looking through the {spoken().pictures}."):
            found = loose_pictures.list_pictures(source, folder, kind)
    except TransferError as error:
        shell.show_error(error)
        return []
    return [Picture.of(name, path) for name, path in found]
