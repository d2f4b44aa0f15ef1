"""What a gallery asks for as somebody scrolls."""

import base64
import json
from pathlib import Path

import numpy as np
from PIL import Image

from pages.data import feed
from pages.shared import addresses
from pages.shared.visits import Visit
from transfer.datasets import editing
from transfer.datasets.ingest.importer import import_path
from transfer.gallery.answers import Answers
from transfer.gallery.view import Order, Picked, Shown, View


def test_page__very_small_jpegs_come_along_and_others_by_their_address(
    workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    small = tmp_path / "cat" / "a.jpg"
    Image.effect_noise((32, 32), 60).convert("RGB").save(small)
    Image.effect_noise((32, 32), 60).save(tmp_path / "dog" / "b.png")
    made = import_path(tmp_path, "pets", val=0)
    visit = Visit(View(dataset="pets", revision=made.id).to_token())
    told = json.loads(feed.page(visit, 0, 100))
    begin, _, content = told[0]["picture"].partition(",")
    assert begin == "data:image/jpeg;base64"
    assert base64.b64decode(content) == small.read_bytes()
    assert told[1]["picture"] == addresses.thumbnail(made.images[1].sha256, made)


def test_page__what_pictures_are_sorted_by_stands_below_them(
    workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    exif = Image.Exif()
    exif[0x0132] = "2014:07:19 12:00:00"
    Image.new("RGB", (64, 32)).save(tmp_path / "cat" / "a.jpg", exif=exif)
    Image.new("RGB", (16, 16), "red").save(tmp_path / "dog" / "b.png")
    made = import_path(tmp_path, "pets", val=0)

    def said(order: Order) -> list[str]:
        view = View(dataset="pets", revision=made.id, order=order)
        told = json.loads(feed.page(Visit(view.to_token()), 0, 100))
        return [one["says"] for one in told]

    assert said("pixels") == ["16 × 16", "64 × 32"]
    assert said("taken") == ["2014-07-19", "no date"]
    assert all(one.endswith(" kB") for one in said("bytes"))
    assert said("name") == ["", ""]
    without = editing.leave_out("pets", [made.images[0].sha256], "Blurred")
    view = View(dataset="pets", revision=without.id, order="pixels", is_out=True)
    (out,) = json.loads(feed.page(Visit(view.to_token()), 0, 100))
    assert out["says"] == "64 × 32 · Blurred"


def test_item__how_far_two_runs_are_apart_comes_first(
    workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "dog").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "cat" / "a.png")
    Image.new("RGB", (8, 8), "red").save(tmp_path / "dog" / "b.png")
    made = import_path(tmp_path, "pets", val=0)
    answers = Answers(
        predicted=np.array(["cat", "cat"], object),
        confidence=np.array([0.6, 0.9], np.float32),
        loss=np.zeros(2, np.float32),
        disagreement=np.array([0.4, np.nan], np.float32),
    )
    images = Picked(made.images, np.arange(2, dtype=np.int32))
    shown = Shown(revision=made, images=images, answers=answers)
    assert feed._item(shown, 0, "")["says"] == "40% apart · ✓ cat 60%"
    assert feed._item(shown, 1, "")["says"] == "✗ cat 90%"
