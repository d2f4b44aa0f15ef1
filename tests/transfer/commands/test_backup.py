import json
from pathlib import Path

import pytest

from tests.pictures import make_pictures
from transfer.__main__ import main
from transfer.datasets import library
from transfer.datasets.ingest import importer


def test_backup_and_restore__say_what_is_there(
    workspace: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_pictures(tmp_path / "pets", {"cat": 2, "dog": 2})
    importer.import_path(tmp_path / "pets", "pets")
    made, home = tmp_path / "made.tar", tmp_path / "back"
    assert main(["backup", "--output", str(made), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["backup"], said["datasets"]) == (str(made), ["pets"])
    monkeypatch.setenv("TRANSFER_HOME", str(home))
    assert main(["restore", str(made), "--json"]) == 0
    back = json.loads(capsys.readouterr().out)
    assert (back["workspace"], back["files"]) == (str(home), said["files"])
    assert library.all_names() == ["pets"]
    assert main(["restore", str(made)]) == 2
    assert "--to" in capsys.readouterr().err
