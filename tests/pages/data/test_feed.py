"""What a gallery asks for as somebody scrolls."""

import base64
import json
from pathlib import Path

from PIL import Image

from pages.data import feed
from pages.shared import addresses
from pages.shared.visits import Visit
from transfer.datasets.ingest.importer import import_path
from transfer.gallery.view import View


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
