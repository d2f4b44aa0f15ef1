"""Sixty kinds of odd sound files, each as bytes; what is to come of it, if known."""

import io
import struct
from collections.abc import Iterator

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.sounds_made import encode, tone

#: Whether it is heard, refused, or either (what the library makes of damage).
HEARD, REFUSED, EITHER = "heard", "refused", "either"


def kinds() -> Iterator[tuple[str, bytes, str]]:
    """Name, content and fate of each."""
    yield from _kinds_of_numbers()
    yield from _rates_and_channels()
    yield from _values()
    yield from _damaged()
    yield from _not_sounds()


def _kinds_of_numbers() -> Iterator[tuple[str, bytes, str]]:
    for form, kinds in (
        ("WAV", "PCM_U8 PCM_16 PCM_24 PCM_32 FLOAT DOUBLE"),
        ("WAV", "ULAW ALAW IMA_ADPCM MS_ADPCM GSM610"),
        ("AIFF", "PCM_S8 PCM_16 PCM_24"),
        ("FLAC", "PCM_S8 PCM_16 PCM_24"),
        ("OGG", "VORBIS OPUS"),
        ("MP3", "MPEG_LAYER_III"),
        ("AU", "PCM_16"),
        ("CAF", "PCM_16 ALAC_16"),
        ("W64", "PCM_16"),
        ("RF64", "PCM_16"),
        ("NIST", "PCM_16"),
        ("VOC", "PCM_16"),
    ):
        for kind in kinds.split():
            yield f"{form} {kind}", encode(tone(400), form=form, kind=kind), HEARD


def _rates_and_channels() -> Iterator[tuple[str, bytes, str]]:
    for rate in (1_000, 7_350, 12_345, 44_100, 96_000, 192_000):
        yield f"{rate} Hz", encode(tone(300, 0.2, rate), rate), HEARD
    for rate in (1, 400, 3_000_000):
        yield f"{rate} Hz, refused", encode(tone(3, 200 / rate, rate), rate), REFUSED
    for channels in (2, 7, 64):
        yield f"{channels} channels", _channels(channels), HEARD
    yield "200 channels", _channels(200), REFUSED


def _values() -> Iterator[tuple[str, bytes, str]]:
    note = tone(400)
    holes = note.copy()
    holes[::7] = np.nan
    peaks = note.copy()
    peaks[::50] = np.inf
    peaks[1::50] = -np.inf
    for name, samples in (
        ("NaN floats", holes),
        ("nothing but NaN", np.full(4000, np.nan, np.float32)),
        ("infinite floats", peaks),
        ("far beyond full scale", note * np.float32(1e30)),
        ("next to nothing", note * np.float32(1e-30)),
    ):
        yield name, encode(samples, kind="FLOAT"), HEARD
    yield "silence", encode(np.zeros(4000, np.float32)), HEARD
    yield "a constant", encode(np.full(4000, 0.5, np.float32)), HEARD
    yield "one sample", encode(note[:1]), HEARD
    yield "0 samples", encode(note[:0]), REFUSED
    yield "61 seconds", encode(np.zeros(61_000, np.float32), 1000), REFUSED


def _damaged() -> Iterator[tuple[str, bytes, str]]:
    wav = encode(tone(400))
    yield "WAV, cut off", wav[: len(wav) // 2], HEARD
    yield "WAV, header alone", wav[:44], REFUSED
    yield "WAV, half a header", wav[:20], REFUSED
    yield "WAV that claims 4 GB", wav[:40] + b"\xff\xff\xff\xff" + wav[44:], EITHER
    yield "WAV of 0 channels", wav[:22] + b"\0\0" + wav[24:], REFUSED
    yield "WAV of 0 Hz", wav[:24] + bytes(4) + wav[28:], REFUSED
    yield "WAV of 0 bits", wav[:34] + b"\0\0" + wav[36:], EITHER
    yield "WAV of an unknown code", wav[:20] + b"\x99\x99" + wav[22:], EITHER
    yield "WAV with bytes behind", wav + bytes(999), HEARD
    yield "WAV with a list inside", _with_chunk(wav), HEARD
    for form in ("FLAC", "OGG", "MP3"):
        whole = encode(tone(400), form=form)
        yield f"{form}, cut off", whole[: len(whole) // 2], EITHER
        middle = len(whole) // 2
        noise = np.random.default_rng(0).bytes(200)
        yield f"{form}, noise inside", whole[:middle] + noise + whole[middle:], EITHER


def _not_sounds() -> Iterator[tuple[str, bytes, str]]:
    yield "empty", b"", REFUSED
    yield "zeros", bytes(5000), REFUSED
    yield "noise", np.random.default_rng(1).bytes(5000), EITHER
    yield "a text", b"This is no sound.\n" * 40, REFUSED
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(500), REFUSED
    yield "a zip", b"PK\x03\x04" + bytes(500), REFUSED
    yield "M4A", b"\0\0\0 ftypM4A \0\0\0\0" + bytes(500), REFUSED
    yield "WebM", b"\x1aE\xdf\xa3" + bytes(500), REFUSED
    yield "AMR", b"#!AMR\n" + bytes(500), REFUSED
    yield "WMA", b"\x30\x26\xb2\x75" + bytes(500), REFUSED
    yield "AAC", b"\xff\xf1\x50\x80" + bytes(500), REFUSED


def _channels(count: int) -> bytes:
    note: NDArray[np.float32] = np.repeat(tone(400, 0.1)[:, None], count, axis=1)
    buffer = io.BytesIO()
    soundfile.write(buffer, note, 8000, format="WAV")
    return buffer.getvalue()


def _with_chunk(wav: bytes) -> bytes:
    """The WAV with a chunk of words before its samples."""
    words = b"LIST" + struct.pack("<I", 16) + b"INFOIART" + bytes(8)
    size = struct.unpack("<I", wav[4:8])[0] + len(words)
    return wav[:4] + struct.pack("<I", size) + wav[8:36] + words + wav[36:]
