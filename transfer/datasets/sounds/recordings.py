"""Sound files as samples: what is refused, and long ones piece by piece."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from transfer.datasets.sounds.resampling import resample
from transfer.errors import SoundError, TransferError

Samples = NDArray[np.float32]

#: Read whatever the file's ending says; the library knows others, which nobody checks.
_FORMATS = frozenset(
    "AIFF AU CAF FLAC MP3 MPEG NIST OGG RF64 VOC W64 WAV WAVEX".split()
)
#: Rates in Hz that a header may claim.
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 1_000_000
#: Channels that are mixed; each block of samples has all of them.
_MOST_CHANNELS = 64
#: Samples of all channels that are read at a time: 4 MB.
_BLOCK = 1 << 20
#: Seconds of what is drawn whole; longer ones are cut into windows first.
MAX_SECONDS = 60.0
#: Seconds of the shortest sound that can be told from a click.
MIN_SECONDS = 0.02

#: How files of other programs begin, from which byte on, and what they are.
_OTHERS = (
    (4, b"ftyp", "an M4A or MP4 file"),
    (0, b"\x30\x26\xb2\x75", "a WMA file"),
    (0, b"#!AMR", "an AMR file"),
    (0, b"\x1aE\xdf\xa3", "a WebM or Matroska file"),
    (0, b"\xff\xf1", "an AAC file"),
    (0, b"\xff\xf9", "an AAC file"),
)
_CONVERT = "Convert it to WAV, FLAC, OGG or MP3."


@contextmanager
def open_recording(
    source: Path | bytes | BinaryIO,
) -> Iterator[soundfile.SoundFile]:
    """The opened recording.

    What goes wrong in the block is a `SoundError`, unless it is told already, as that
    the disk is full.
    """
    name = source.name if isinstance(source, Path) else "The file"
    try:
        if isinstance(source, Path) and source.exists() and not source.is_file():
            raise SoundError(f"{name} is a folder, a device or a pipe, not a sound.")
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        # By its number: by its name a file that ends in .raw is noise.
        with (
            _stream(stream) as opened,
            soundfile.SoundFile(opened, closefd=False) as file,
        ):
            _check(file, name)
            yield file
    except TransferError:
        raise
    except FileNotFoundError as error:
        raise SoundError(f"{name} does not exist.") from error
    except Exception as error:
        reason, hint = _refusal(source, error)
        raise SoundError(f"{name} {reason}.", hint) from error


def seconds(file: soundfile.SoundFile) -> float:
    """How long an opened recording says that it is."""
    return float(file.frames / file.samplerate)


def blocks(file: soundfile.SoundFile, frames: int = 0) -> Iterator[Samples]:
    """An opened recording in mono, block by block: `(frames,)`, the last may be less.

    Values are in [-1, 1]; what is no number is silence.

    Args:
        file: The recording; read from where it stands.
        frames: Samples of each block; as many as memory allows without.
    """
    wanted = frames or max(1, _BLOCK // file.channels)
    while len(block := file.read(wanted, "float32", always_2d=True)):
        yield _mono(block)


def read(source: Path | bytes | BinaryIO, rate: int) -> Samples:
    """A recording in mono at a rate, float32 `(samples,)` in about [-1, 1].

    Args:
        source: A file, its bytes, or a binary stream that can seek.
        rate: In Hz.

    Raises:
        SoundError: It is no sound, damaged, without a sample, or longer than
            `MAX_SECONDS`.
    """
    with open_recording(source) as file:
        limit = int(MAX_SECONDS * file.samplerate) + 1
        pieces, count = [], 0
        for block in blocks(file):
            pieces.append(block)
            count += len(block)
            if count > limit:  # whatever its header says
                raise SoundError(
                    f"The recording is longer than {MAX_SECONDS:.0f} seconds.",
                    "Cut it into windows.",
                )
        if not count:
            raise SoundError("The recording has no samples.")
        return resample(np.concatenate(pieces), file.samplerate, rate)


def _mono(block: NDArray[np.float32]) -> Samples:
    numbers = np.nan_to_num(block, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
    # Floats may be larger than full scale: as a player does, it is cut off there.
    mixed = np.clip(numbers, -1, 1).mean(1, dtype=np.float32)
    return np.asarray(mixed, np.float32)


def _check(file: soundfile.SoundFile, name: str) -> None:
    if file.format not in _FORMATS:
        raise SoundError(f"{name} is of the format {file.format}.", _CONVERT)
    if not _LOWEST_RATE <= file.samplerate <= _HIGHEST_RATE:
        raise SoundError(
            f"{name} claims {file.samplerate:,} samples a second; from "
            f"{_LOWEST_RATE:,} to {_HIGHEST_RATE:,} are read."
        )
    if file.channels > _MOST_CHANNELS:
        raise SoundError(
            f"{name} has {file.channels} channels; at most {_MOST_CHANNELS} are read."
        )


@contextmanager
def _stream(source: Path | BinaryIO) -> Iterator[BinaryIO | int]:
    if not isinstance(source, Path):
        source.seek(0)
        yield source
        return
    with source.open("rb") as file:
        yield file.fileno()


def _refusal(source: Path | bytes | BinaryIO, error: Exception) -> tuple[str, str]:
    """What is wrong with a file that could not be read, and what helps."""
    start = _start(source)
    if not start:
        return "is empty (0 bytes)", ""
    for at, begins, what in _OTHERS:
        if start[at:].startswith(begins):
            return f"is {what}, which is not read", _CONVERT
    if isinstance(error, soundfile.LibsndfileError) and error.code in (1, 2):
        return "is not a sound in a known format", _CONVERT
    # The library says first what it was given, which tells nobody anything.
    why = re.sub(r"^Error opening .*?: ", "", str(error)).strip(" .")
    return f"is damaged or cut off ({why})", ""


def _start(source: Path | bytes | BinaryIO) -> bytes:
    if isinstance(source, bytes):
        return source[:16]
    if isinstance(source, Path):
        with source.open("rb") as file:
            return file.read(16)
    source.seek(0)
    return source.read(16)
