"""Codes that people type: of a workshop, and each one's own."""

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from transfer import workspace

#: Days for which a workshop lasts if nobody says otherwise.
DAYS = 30
#: Neither I and 1 nor O and 0: they are read from a projector and from paper.
_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_DAY = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What lets people into a workshop.

    Attributes:
        access: The code for participants.
        instructor: The code by which an instructor comes in.
        ends_at: When the codes, and those who came with them, are let in no more;
            seconds since 1970. Instructors stay.
    """

    access: str
    instructor: str
    ends_at: float


def workshop() -> Workshop:
    """The workshop of this workspace; its codes are made when first asked for."""
    try:
        return Workshop(**json.loads(_path().read_bytes()))
    except FileNotFoundError:
        return renew()


def renew(days: float = DAYS) -> Workshop:
    """A workshop with new codes; who is in already stays in.

    Args:
        days: From now on for which it lasts.
    """
    made = Workshop(
        access=make(8), instructor=make(12), ends_at=time.time() + days * _DAY
    )
    workspace.write_atomically(_path(), json.dumps(asdict(made)).encode())
    return made


def forget() -> None:
    """Lets nobody in any more with the codes of now; new ones are made when asked."""
    _path().unlink(missing_ok=True)


def make(signs: int) -> str:
    """A new code of so many signs, in groups of four."""
    code = "".join(secrets.choice(_SIGNS) for _ in range(signs))
    return "-".join(code[start : start + 4] for start in range(0, signs, 4))


def is_same(typed: str, code: str) -> bool:
    """Whether somebody typed this code, in whatever case and with whatever dashes."""
    return hmac.compare_digest(_bare(typed), _bare(code))


def hash_of(code: str) -> str:
    """What is kept of a code, from which it cannot be read."""
    salt = secrets.token_hex(16)
    return f"{salt}:{_stretch(code, salt)}"


def fits(typed: str, kept: str) -> bool:
    """Whether somebody typed the code of which this was kept."""
    salt, _, stretched = kept.partition(":")
    return bool(salt) and hmac.compare_digest(_stretch(typed, salt), stretched)


def _stretch(code: str, salt: str) -> str:
    # 16 MB and some 30 ms: a copy of the table does not give the codes away.
    made = hashlib.scrypt(_bare(code), salt=salt.encode(), n=2**14, r=8, p=1)
    return made.hex()


def _bare(code: str) -> bytes:
    return "".join(one for one in code.upper() if one.isalnum()).encode()


def _path() -> Path:
    return workspace.home() / "workshop.json"
