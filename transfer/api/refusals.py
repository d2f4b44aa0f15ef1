"""What a program is told where it gets no answer: JSON with `error` and `hint`."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from transfer import config, errors
from transfer.errors import TransferError

_log = logging.getLogger(__name__)
#: The status of each error, and of all that are made of it.
_STATUS: dict[type[TransferError], int] = {
    errors.NotFoundError: 404,
    errors.NotAllowedError: 403,
    errors.NameTakenError: 409,
    errors.TooOftenError: 429,
    errors.TrainingError: 500,
    errors.RunError: 409,
    errors.StorageError: 507,
    errors.UploadTooLargeError: 413,
    TransferError: 422,
}


class Refusal(BaseModel):
    """Why there is no answer."""

    error: str = Field(description="What happened, with the values that were seen.")
    hint: str = Field(default="", description="How to mend it.")


class RefusedError(Exception):
    """An error with a status of its own."""

    def __init__(self, status: int, error: TransferError, **headers: str) -> None:
        super().__init__(str(error))
        self.status, self.error, self.headers = status, error, headers


def add_to(app: FastAPI) -> None:
    """Has the app tell all errors in one form, and never a trace."""
    app.add_exception_handler(RefusedError, _say_refusal)
    app.add_exception_handler(TransferError, _say_error)
    app.add_exception_handler(RequestValidationError, _say_problems)
    app.add_exception_handler(HTTPException, _say_status)
    app.add_exception_handler(Exception, _say_little)


def _say_refusal(_: Request, error: Any) -> JSONResponse:
    return _answer(error.status, error.error, error.headers)


def _say_error(_: Request, error: Any) -> JSONResponse:
    status = next(_STATUS[kind] for kind in type(error).mro() if kind in _STATUS)
    wait = error.wait if isinstance(error, errors.TooOftenError) else None
    return _answer(status, error, {"Retry-After": str(wait)} if wait else None)


def _say_problems(_: Request, error: Any) -> JSONResponse:
    # The first part of a place says whether it was in the body, the path, the query.
    said = [{**one, "loc": one["loc"][1:] or one["loc"]} for one in error.errors()]
    problems = "; ".join(config.problem(one) for one in said)
    return _answer(422, TransferError(f"{problems}."))


def _say_status(_: Request, error: Any) -> JSONResponse:
    hint = "openapi.json beside it describes all routes."
    said = TransferError(f"{error.detail}.", hint if error.status_code < 500 else "")
    return _answer(error.status_code, said, error.headers)


def _say_little(_: Request, error: Exception) -> JSONResponse:
    # A trace may name files of the server, and helps nobody who asks.
    _log.error("The API failed", exc_info=error)
    return _answer(
        500, TransferError("Something went wrong.", "The server's log has the details.")
    )


def _answer(status: int, error: TransferError, headers: Any = None) -> JSONResponse:
    content = Refusal(error=error.message, hint=error.hint).model_dump()
    return JSONResponse(content, status, headers)
