"""Whether work goes to a Ray cluster, and what is said where it cannot."""

import subprocess
import sys

import pytest

from transfer import cluster
from transfer.errors import ConfigError

#: All that a server, a worker and a job import, and whether Ray came with it.
_ALL_OF_US = (
    "import sys, transfer.runs.supervisor, transfer.__main__, transfer.worker.__main__;"
    "import transfer.features.extract; print('ray' in sys.modules)"
)


def test_is_used__only_where_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRANSFER_ENGINE", raising=False)
    assert not cluster.is_used()
    monkeypatch.setenv("TRANSFER_ENGINE", "local")
    assert not cluster.is_used()
    monkeypatch.setenv("TRANSFER_ENGINE", "ray")
    assert cluster.is_used()
    monkeypatch.setenv("TRANSFER_ENGINE", "Ray")
    with pytest.raises(ConfigError, match="local or ray was expected"):
        cluster.is_used()


def test_connect__says_what_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(ConfigError, match="RAY_ADDRESS is not set"):
        cluster.connect()


def test_connect__says_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match="pip install"):
        cluster.connect()


def test_cluster__without_the_setting_nothing_imports_ray() -> None:
    command = [sys.executable, "-c", _ALL_OF_US]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
