import io
import json
import logging
from collections.abc import Iterator

import pytest

from transfer.errors import ConfigError
from transfer.upkeep import logs


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a logger writes whose handler Streamlit has made."""
    monkeypatch.setenv("TRANSFER_LOG", "json")
    stream, logger = io.StringIO(), logging.getLogger("streamlit.of a test")
    handler = logging.StreamHandler(stream)
    logger.addHandler(handler)
    root = logging.getLogger()
    formatters = [(one, one.formatter) for one in root.handlers]
    logs.set_up()
    yield stream
    logger.removeHandler(handler)
    logging.captureWarnings(False)
    for one, formatter in formatters:
        one.setFormatter(formatter)


def test_set_up__a_record_is_one_line(written: io.StringIO) -> None:
    logger = logging.getLogger("streamlit.of a test")
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logger.exception("Failed: %s", "ü", extra={"job": "0a1b", "seconds": 1.5})
    (line,) = written.getvalue().splitlines()
    said = json.loads(line)
    assert (said["level"], said["message"]) == ("error", "Failed: ü")
    assert (said["job"], said["seconds"]) == ("0a1b", 1.5)
    assert said["time"].endswith("+00:00")
    assert "ValueError: two\nlines" in said["trace"]


def test_wants_json__refuses_what_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_LOG", "yaml")
    with pytest.raises(ConfigError, match="must be json or text"):
        logs.wants_json()
