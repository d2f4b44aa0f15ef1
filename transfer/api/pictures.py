"""The pictures of a request: as its whole body, or several as a form."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from starlette import requests
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from transfer.api.refusals import RefusedError
from transfer.errors import ImageError, UploadError, UploadTooLargeError

#: Bytes of a request, and pictures in it.
MOST_BYTES, MOST = 50 << 20, 64
#: Such requests at a time, of all people: each holds its pictures in memory.
AT_ONCE = 8
_at_work = 0
#: What the description says of the body, which may be either.
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["pictures"],
                    "properties": {
                        "pictures": {
                            "type": "array",
                            "maxItems": MOST,
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                }
            },
        },
    }
}


class Sent(NamedTuple):
    """A picture that was sent; the name is empty where it is the whole body."""

    name: str
    content: bytes


@contextmanager
def room() -> Iterator[None]:
    """Holds room for the pictures of a request, before any of it is read.

    Raises:
        RefusedError: There is none now.
    """
    global _at_work
    if _at_work >= AT_ONCE:
        error = UploadError("Too many ask about pictures at once.", "Try again.")
        raise RefusedError(429, error, **{"Retry-After": "1"})
    _at_work += 1
    try:
        yield
    finally:
        _at_work -= 1


async def read(request: requests.Request) -> list[Sent]:
    """The pictures of a request, in their order.

    Raises:
        RefusedError: They are more, or larger, than is taken.
        UploadError: The form cannot be read.
        ImageError: There is none.
    """
    if int(request.headers.get("content-length") or 0) > MOST_BYTES:
        raise _too_large()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    limited = requests.Request(request.scope, _receive_limited(request))
    if kind == "multipart/form-data":
        found = await _of_form(limited)
    else:
        found = [Sent("", await limited.body())]
    if not any(one.content for one in found):
        raise ImageError(
            "There is no picture in the request.",
            "Send it as the body, or several as files of a form, named `pictures`.",
        )
    return found


async def _of_form(request: requests.Request) -> list[Sent]:
    try:
        async with request.form(max_files=MOST, max_fields=MOST) as form:
            files = [one for _, one in form.multi_items()]
            return [
                Sent(one.filename or "", await one.read())
                for one in files
                if isinstance(one, UploadFile)
            ]
    except HTTPException as error:
        raise UploadError(
            f"The form cannot be read: {error.detail}",
            f"At most {MOST} pictures are taken at once.",
        ) from error


def _receive_limited(request: requests.Request) -> Any:
    received = 0

    async def receive() -> Any:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > MOST_BYTES:
            raise _too_large()
        return message

    return receive


def _too_large() -> RefusedError:
    error = UploadTooLargeError(
        f"More than {MOST_BYTES >> 20} MB are not taken in one request.",
        "Send fewer pictures at once, or smaller ones.",
    )
    # The rest is not waited for.
    return RefusedError(413, error, Connection="close")
