"""Which files are pictures, by their ending or their first bytes; zips, and labels."""

import os
import re

from transfer.datasets.decoding import IMAGE_EXTENSIONS

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
#: Bytes of a file that tell.
BEGINNING = 32

_BEGINNINGS = re.compile(BEGINNINGS.encode("latin-1"))


def is_zip(path: str) -> bool:
    """Whether it has the ending of a zip."""
    return path.lower().endswith(ZIPS)


def may_be_labels(path: str) -> bool:
    """Whether it has the ending of a file of labels."""
    return path.lower().endswith(LABELS)


def is_named_like_picture(path: str) -> bool:
    """Whether it has the ending of a picture."""
    return os.path.splitext(path)[1].lower() in IMAGE_EXTENSIONS


def begins_like_picture(content: bytes) -> bool:
    """Whether a file that begins so is a picture, whatever its name."""
    return _BEGINNINGS.match(content) is not None
