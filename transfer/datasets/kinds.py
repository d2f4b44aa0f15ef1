"""Which files are pictures or sounds, by ending or first bytes; zips, and labels."""

import os
import re

from transfer.datasets.decoding import IMAGE_EXTENSIONS
from transfer.datasets.revision import Kind

#: Endings of zips; the second is that of a project of Teachable Machine.
ZIPS = (".zip", ".tm")
#: Endings of files that may say the classes of the pictures beside them.
LABELS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xml")

#: How files of the known formats begin, of Latin-1 characters: JPEG, PNG, GIF, BMP,
#: WebP, TIFF, HEIF and AVIF, PPM. A pattern that JavaScript takes too.
BEGINNINGS = (
    r"^(?:\xff\xd8\xff|\x89PNG\r\n|GIF8[79]a|BM[\s\S]{4}\0\0\0\0|RIFF[\s\S]{4}WEBP"
    r"|II[*+]\0|MM\0[*+]|[\s\S]{4}ftyp(?:hei|hev|mif|msf|avi)|P[1-6]\s+[#\d])"
)
#: Endings of sounds; the last six are of formats that are named as not read.
SOUND_EXTENSIONS = frozenset(
    ".wav .wave .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .au .snd .caf .w64 .rf64 "
    ".m4a .mp4 .aac .wma .amr .webm".split()
)
#: How sound files begin; an MP3 without a tag is known by its ending alone.
_SOUND_BEGINNINGS = (
    r"^(?:RIFF[\s\S]{4}WAVE|RF64|fLaC|OggS|ID3|FORM[\s\S]{4}AIF[FC]|\.snd|caff)"
)

#: Bytes of a file that tell.
BEGINNING = 32

#: Of each kind of file, its endings, and how it begins.
EXTENSIONS: dict[Kind, frozenset[str]] = {
    "images": IMAGE_EXTENSIONS,
    "sounds": SOUND_EXTENSIONS,
}
BEGINNINGS_OF: dict[Kind, str] = {"images": BEGINNINGS, "sounds": _SOUND_BEGINNINGS}
_COMPILED = {
    kind: re.compile(text.encode("latin-1")) for kind, text in BEGINNINGS_OF.items()
}


def is_zip(path: str) -> bool:
    """Whether it has the ending of a zip."""
    return path.lower().endswith(ZIPS)


def may_be_labels(path: str) -> bool:
    """Whether it has the ending of a file of labels."""
    return path.lower().endswith(LABELS)


def is_named_like(kind: Kind, path: str) -> bool:
    """Whether it has the ending of a picture or a sound."""
    return os.path.splitext(path)[1].lower() in EXTENSIONS[kind]


def is_named_like_any(path: str) -> bool:
    """Whether it has the ending of any file that a dataset may hold."""
    return any(is_named_like(kind, path) for kind in EXTENSIONS)


def begins_like(kind: Kind, content: bytes) -> bool:
    """Whether a file that begins so is a picture or a sound, whatever its name."""
    return _COMPILED[kind].match(content) is not None
