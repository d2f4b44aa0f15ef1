"""Every test gets a workspace of its own."""

from pathlib import Path

import pytest


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace folder, named by TRANSFER_HOME."""
    home = tmp_path / "workspace"
    monkeypatch.setenv("TRANSFER_HOME", str(home))
    return home
