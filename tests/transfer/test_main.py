"""The command line, from folder to prediction, with real workers."""

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patience import wait_for
from tests.pictures import make_pictures
from transfer.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--backbone", "mobilenet_v2_035", "--weights", "random", "--image-size", "32"]


def run(*arguments: str, status: int = 0) -> Any:
    """The JSON that the command prints; it ends with `status`.

    In this process, which has imported already what takes seconds; workers are real.
    """
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main([*arguments, "--json"]) == status, printed.getvalue()
    return json.loads(printed.getvalue())


def train(*options: str, status: int = 0) -> Any:
    """`train` on the dataset `pets` with a tiny backbone."""
    return run("train", "--dataset", "pets", *SMALL, *options, status=status)


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Path:
    """A dataset of two classes that differ in colour."""
    folder = tmp_path / "pets"
    make_pictures(folder, {"cat": 10, "dog": 10})
    run("import", str(folder), "--name", "pets")
    return folder


def test_main__import_says_what_it_understood_and_is_told(
    workspace: Path, tmp_path: Path
) -> None:
    for seed, part in enumerate(("first", "second")):
        make_pictures(tmp_path / "set" / part, {"cat": 4, "dog": 4}, seed=seed)
    made = run("import", str(tmp_path / "set"), "--name", "a")
    assert [*made["classes"]] == ["first", "second"]
    assert "say that the folders are splits" in made["notes"][0]
    told = ["--layout", "splits", "--splits", "first=train", "second=test"]
    made = run("import", str(tmp_path / "set"), "--name", "b", *told)
    assert made["classes"]["cat"] == {"train": 3, "val": 1, "test": 4}
    assert made["notes"] == ["Folders that are splits: first is train, second is test."]
    refused = run(
        *("import", str(tmp_path / "set"), "--name", "c", "--splits", "first=rows"),
        status=2,
    )
    assert "rows" in refused["error"]["message"]


def test_main__instant_trains_in_no_steps(pets: Path) -> None:
    made = train("--method", "instant")
    assert made["status"] == "completed"
    epochs = run("show", made["run"])["epochs"]
    assert [(one["phase"], one["epoch"]) for one in epochs] == [("head", 1)]
    refused = train("--method", "instant", "--freeze", "last:1", status=2)
    assert "choose freeze `all`" in refused["error"]["message"]


def test_main__from_a_folder_to_a_prediction(pets: Path) -> None:
    assert run("datasets")["datasets"][0]["classes"]["cat"]["val"] == 2
    trained = train(
        "--head-epochs", "3", "--fine-tune-epochs", "1", "--freeze", "last:1"
    )
    assert trained["status"] == "completed"
    assert set(trained["seconds"]) == {
        *("import", "prepare", "head", "fine_tune", "evaluate", "total")
    }
    assert trained["trainable_parameters"] > 0
    assert trained["frozen_parameters"] > 0
    assert trained["peak_memory_mb"] > 100
    assert 0 <= trained["val_accuracy"] <= 1
    # Of two classes of as many val images the two are the same.
    assert trained["val_balanced_accuracy"] == trained["val_accuracy"]
    assert trained["val_largest_class"]["accuracy"] == 0.5
    assert isinstance(trained["remarks"], list)

    picture = str(next(pets.glob("cat/*")))
    (answer,) = run("predict", trained["run"], picture)
    assert answer["path"] == picture
    assert {one["class_name"] for one in answer["predictions"]} == {"cat", "dog"}
    assert sum(one["probability"] for one in answer["predictions"]) == pytest.approx(1)

    evaluated = run("evaluate", trained["run"])
    assert (evaluated["split"], evaluated["images"]) == ("val", 4)
    assert evaluated["top_1"]["value"] == pytest.approx(trained["val_accuracy"])
    assert set(evaluated["classes"]) == {"cat", "dog"}
    refused = run("evaluate", trained["run"], "--split", "test", status=1)
    assert "has no test images" in refused["error"]["message"]

    (pets / "cat" / "cat_3.png").write_bytes(b"broken")
    table = pets.parent / "table.csv"
    found = run("predict", trained["run"], str(pets), "--csv", str(table))
    assert len(found) == len(table.read_text().splitlines()) - 1 == 20
    assert found[0]["path"] == str(pets / "cat" / "cat_0.png")
    assert [one["path"] for one in found if "error" in one] == [
        str(pets / "cat" / "cat_3.png")
    ]
    broken = run("predict", trained["run"], found[3]["path"], status=1)
    assert "not a picture" in broken["error"]["message"]

    shown = run("show", trained["run"])
    assert [one["phase"] for one in shown["epochs"]] == ["head"] * 3 + ["fine_tune"]
    assert run("delete", trained["run"])["status"] == "deleted"
    assert run("runs")["runs"] == []


@pytest.mark.slow
def test_main__equal_seeds_give_equal_runs(pets: Path) -> None:
    options = ("--head-epochs", "2", "--fine-tune-epochs", "1", "--freeze", "none")
    first, second = (train(*options)["run"] for _ in range(2))
    losses = [[e["loss"] for e in run("show", r)["epochs"]] for r in (first, second)]
    assert losses[0] == losses[1]


def test_main__a_detached_run_can_be_stopped(pets: Path) -> None:
    queued = train("--head-epochs", "1000", "--detach")
    assert queued["status"] in ("queued", "running")
    assert run("stop", queued["run"])["status"] in ("stopping", "stopped")
    wait_for(lambda: run("show", queued["run"])["status"] == "stopped")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--batch-size", "0"], "batch_size is 0"),
        (["--backbone", "mobilenet_v9"], "mobilenet_v2"),
        (["--freeze", "blocks:nowhere"], "no block 'nowhere'"),
        (["--freeze", "some"], "was not understood"),
        (["--epochs", "3"], "recognized arguments"),
        (["--learning-rate", "fast"], "invalid float value"),
        (["--dataset", "ghosts"], 'no dataset named "ghosts"'),
    ],
)
def test_main__wrong_use_is_explained(
    pets: Path, options: list[str], message: str
) -> None:
    assert message in train(*options, status=2)["error"]["message"]


def test_main__weights_are_listed_and_added(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    listed = {one["backbone"]: one for one in run("weights", "list")["weights"]}
    here = [name for name, one in listed.items() if one["here"]]
    assert here == ["efficientnet_lite0"]
    assert listed["resnet50"]["licence"]
    broken = tmp_path / Path(listed["resnet50"]["file"]).name
    broken.write_bytes(b"half a file")
    refused = run("weights", "add", str(broken), status=1)["error"]
    assert "does not have the published hash" in refused["message"]
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # no network
    refused = run("weights", "fetch", "resnet50", status=1)["error"]
    assert "1 of 1 weights could not be fetched. resnet50:" in refused["message"]


def test_main__a_sample_and_the_default_need_no_network(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # no network
    run("import", "sample:digits", "--name", "digits")
    words = ("--dataset", "digits", "--method", "instant", "--image-size", "64")
    trained = run("train", *words)
    config = run("show", trained["run"])["config"]
    assert (config["backbone"], config["weights"]) == (
        "efficientnet_lite0",
        "imagenet",
    )
    assert trained["val_accuracy"] > 0.9


def test_main__missing_weights_name_the_file_and_its_folder(
    pets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # no network
    error = train("--weights", "imagenet", status=1)["error"]
    assert "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5" in (
        error["message"] + error["hint"]
    )
    assert str(tmp_path / "keras" / "models") in error["message"] + error["hint"]


def test_main__wrong_use_without_json_says_so_on_stderr(workspace: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "transfer", "show"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "run" in done.stderr.lower()


def test_main__ends_quietly_where_nobody_reads_its_answer(workspace: Path) -> None:
    command = [sys.executable, "-m", "transfer", "backbones", "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
