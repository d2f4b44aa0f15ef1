"""The server's log, as lines for people or as JSON for programs."""

import json
import logging
import os
from datetime import UTC, datetime
from typing import Any

from transfer.errors import ConfigError

#: What every record of the log has; all else was given with it.
_USUAL = frozenset(vars(logging.makeLogRecord({})))


class Json(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and what else it has.

    A trace is a field, so that a line stays a line.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {k: v for k, v in vars(record).items() if k not in _USUAL}
        said.pop("color_message", None)  # uvicorn's, for terminals
        if record.exc_info:
            said["trace"] = self.formatException(record.exc_info)
        return json.dumps(said, default=str, ensure_ascii=False)


def wants_json() -> bool:
    """Whether `TRANSFER_LOG` asks for JSON.

    Raises:
        ConfigError: It is neither `json` nor `text`.
    """
    named = os.environ.get("TRANSFER_LOG") or "text"
    if named not in ("json", "text"):
        raise ConfigError(f"TRANSFER_LOG is {named!r}, but must be json or text.")
    return named == "json"


def set_up() -> None:
    """Has all loggers of this process write JSON to standard error, if it is asked for.

    Raises:
        ConfigError: As `wants_json`.
    """
    if not wants_json():
        return
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
        root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    # Streamlit and uvicorn give loggers handlers of their own.
    known = [logging.getLogger(name) for name in list(root.manager.loggerDict)]
    for logger in (root, *known):
        for handler in logger.handlers:
            handler.setFormatter(Json())
