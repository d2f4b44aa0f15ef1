"""Small pictures with what is said of them."""

from dataclasses import replace

from pages.shared import tiles
from transfer.datasets.revision import Revision
from transfer.datasets.sounds.presets import PRESETS

NASTY = '"><b onclick=""'


def _revision() -> Revision:
    return Revision(
        dataset="pets",
        id="1",
        class_names=("cat",),
        images=(),
        passed_over=(),
        split_source="stratified",
        val=0.2,
        test=0.0,
        seed=0,
        created_at=0.0,
    )


def test_tile__a_title_is_text_and_a_caption_stands_below(workspace: None) -> None:
    made = tiles.tile("1" * 64, NASTY, _revision(), "<p>cat</p>", "contain")
    assert NASTY not in made and made.count("&quot;&gt;&lt;b") == 2
    assert "<p>cat</p></figcaption>" in made and "object-fit:contain" in made
    assert "<audio" not in made
    assert "figcaption" not in tiles.tile("1" * 64, "", _revision())


def test_tile__a_recording_has_a_player_and_what_is_gone_a_grey_square(
    workspace: None,
) -> None:
    notes = replace(_revision(), sound=PRESETS["word"])
    assert "<audio" in tiles.tile("1" * 64, "a.wav", notes)
    gone = tiles.tile("", "a.wav", notes)
    assert "<img" not in gone and "<audio" not in gone and "aspect-ratio" in gone


def test_row__holds_its_tiles_in_their_order() -> None:
    row = tiles.row(["<p>1</p>", "<p>2</p>"], "1fr 1fr", "46rem")
    assert row.endswith("<p>1</p><p>2</p></div>") and "max-width:46rem" in row


def test_faint__takes_any_text() -> None:
    assert "&lt;b&gt;" in tiles.faint("<b>")
