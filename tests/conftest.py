"""Every test gets a workspace of its own."""

from pathlib import Path

import pytest

from transfer.backbones import weights


@pytest.fixture(autouse=True)
def internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks the network: the server of the weights answers, it is said."""
    weights._can_be_fetched.cache_clear()
    monkeypatch.setattr(weights, "_answers", lambda url: True)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace folder, named by TRANSFER_HOME."""
    home = tmp_path / "workspace"
    monkeypatch.setenv("TRANSFER_HOME", str(home))
    return home
