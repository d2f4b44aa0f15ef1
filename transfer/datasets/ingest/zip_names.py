"""Names in a zip: in which bytes they are written, and that none leads out of it."""

import re
import struct
import zipfile
import zlib
from datetime import date
from pathlib import Path

from transfer.datasets.ingest import code_pages
from transfer.errors import DatasetError

#: The year in which zips that know no date have all files.
_NO_YEAR = 1980


def raw_name(info: zipfile.ZipInfo) -> bytes:
    """The bytes of a name in an unknown code page; empty if it is known or ASCII."""
    # The bit says that the name is UTF-8.
    if info.flag_bits & 0x800 or info.orig_filename.isascii() or _utf8_name(info):
        return b""
    return info.orig_filename.encode(code_pages.DEFAULT)


def _utf8_name(info: zipfile.ZipInfo) -> str:
    """The name in UTF-8 that some tools write beside the other; empty if there is none.

    Info-ZIP's field 0x7075: a version, the CRC-32 of the other name, then this one.
    """
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        content, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == 0x7075 and len(content) > 5:
            other = info.orig_filename.encode(code_pages.DEFAULT, "replace")
            # Renamed by a tool that knows nothing of this field, it would be stale.
            if content[1:5] == struct.pack("<I", zlib.crc32(other)):
                return content[5:].decode("utf-8", "replace")
    return ""


def member_name(info: zipfile.ZipInfo, code_page: str) -> str:
    """The member's name with `/`.

    Backslashes part folders too, once it is decoded: in Shift-JIS and Big5 the second
    byte of a letter may be that of a backslash.
    """
    raw = raw_name(info)
    name = code_pages.decode(raw, code_page) if raw else _utf8_name(info)
    return (name or info.orig_filename).replace("\\", "/")


def check_member(info: zipfile.ZipInfo, name: str, path: Path) -> None:
    """Returns quietly where a member of the zip at `path` may be unpacked.

    Raises:
        DatasetError: Its name leads out of the zip, or it needs a password.
    """
    # Refused as a whole: a zip made to write elsewhere is not to be trusted at all.
    if name.startswith("/") or ".." in name.split("/") or re.match("[A-Za-z]:", name):
        raise DatasetError(
            f'{path.name} holds the path "{name}", which leads out of the zip.',
            "Make the zip again from the folder itself.",
        )
    if info.flag_bits & 0x1:
        raise DatasetError(
            f"{path.name} is protected by a password.", "Make a zip without one."
        )


def note_on_names(code_page: str) -> tuple[str, ...]:
    """What to say of names that were read in a code page that was found out."""
    if code_page == "utf-8":
        return ()
    called = code_pages.CODE_PAGES.get(code_page, code_page)
    return (
        f"The zip does not say how its names are written; they are read as {called}.",
    )


def day(info: zipfile.ZipInfo) -> int:
    """Day of a member's last change, from 1970; 0 for the day that stands for none."""
    try:
        changed = date(*info.date_time[:3])
    except ValueError:  # programs write months of 0
        return 0
    return (changed - date(1970, 1, 1)).days if changed.year > _NO_YEAR else 0
