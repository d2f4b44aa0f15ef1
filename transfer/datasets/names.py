"""Names of files and folders as text: every one can be showable, and stays apart."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from transfer.errors import ConfigError

#: Control characters, breaks of lines, and what stands for bytes that are no UTF-8.
_UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

#: Characters of a class's name that is given by hand.
MOST = 100

#: Stands between the name of a dataset and the id of whose it is, where people sign in:
#: names are each one's own, and this is what it is kept under.
_OF = "@"


def title(dataset: str) -> str:
    """What a dataset is called: what it is kept under, without whose it is."""
    return dataset.partition(_OF)[0]


def owner(dataset: str) -> str:
    """Id of whose a dataset was when it was made; empty where nobody signed in."""
    return dataset.partition(_OF)[2]


def kept_under(name: str, owner_id: str) -> str:
    """What a dataset of this name is kept under.

    Args:
        owner_id: Of whose it is; empty where nobody signs in.
    """
    return f"{name}{_OF}{owner_id}" if owner_id else name


def showable(path: str) -> str:
    r"""The path as text of one line, such as `chat\xe9`; two paths never become one.

    Bytes that are not UTF-8, and control characters, are written as escapes.
    """
    return _UNSHOWABLE.sub(lambda found: _escape(found[0]), path)


def class_name(folder: str) -> str:
    """What the class of a folder of this name is called."""
    return showable(normal_form(folder))


def check_class_name(name: str) -> None:
    """Returns quietly where a class may be given this name.

    Raises:
        ConfigError: It may not.
    """
    # A class is a folder when the dataset is taken away.
    is_folder = name == class_name(name).strip() and not set(name) & set("/\\")
    if not (name and is_folder and name not in (".", "..") and len(name) <= MOST):
        raise ConfigError(
            f'A class cannot be called "{showable(name)[:MOST]}".',
            f"A name has 1 to {MOST} characters, none of them a slash or a backslash, "
            "and neither starts nor ends with a space.",
        )


def normal_form(name: str) -> str:
    """The name in the one spelling of its accents; macOS writes them apart."""
    return unicodedata.normalize("NFC", name)


def alike(names: Iterable[str]) -> list[list[str]]:
    """Groups of names that differ in upper and lower case or in spaces only."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[bare(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


def bare(name: str) -> str:
    """The name without case and spaces."""
    return "".join(name.casefold().split())


def in_words(names: Iterable[str], most: int = 5) -> str:
    """The first names in quotation marks, and how many more there are."""
    every = [f'"{name}"' for name in names]
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more:,} more" if more > 0 else "")


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte, in the way of Python's `surrogateescape`
        return f"\\x{code & 0xFF:02x}"
    return character.encode("unicode_escape").decode()
