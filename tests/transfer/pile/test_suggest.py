"""What was sorted suggests the class of the rest, and what is asked about next."""

from pathlib import Path

import pytest

from tests import piles_made
from tests.pictures import make_pictures
from transfer.datasets.ingest import importer
from transfer.pile import suggest, waiting
from transfer.pile.waiting import NONE


@pytest.fixture
def pile(tmp_path: Path, workspace: Path) -> list[str]:
    """Twelve pictures in three groups, told apart by their first numbers.

    The last group lies between the others. Nothing is known of the dataset's images.
    """
    pets = make_pictures(tmp_path / "pets", {"cat": 2, "dog": 2})
    importer.import_path(pets, "pets")
    loose = make_pictures(tmp_path / "loose", {"some": 12}, seed=9)
    places = [(0.0, 1.0)] * 4 + [(1.0, 0.0)] * 4 + [(1.1, 0.9)] * 4
    piles_made.grouped("pets", loose, places)
    return [one.sha256 for one in waiting.read("pets").pictures]


def test_suggest__nothing_is_known_at_first(pile: list[str]) -> None:
    found = suggest.suggest(waiting.read("pets"))
    assert sorted(one.number for one in found.groups) == [1, 2, 3]
    assert all(one.suggestion == "" and one.certainty == 0 for one in found.groups)
    assert all(len(one.hashes) == one.fitting == 4 for one in found.groups)


def test_suggest__what_was_sorted_teaches_and_the_unsure_come_next(
    pile: list[str],
) -> None:
    waiting.decide("pets", dict.fromkeys(pile[:3], "cat"))
    waiting.decide("pets", dict.fromkeys(pile[4:7], "dog"))
    found = suggest.suggest(waiting.read("pets"))
    by_number = {one.number: one for one in found.groups}
    assert by_number[1].hashes == (pile[3],) and by_number[1].suggestion == "cat"
    assert by_number[2].hashes == (pile[7],) and by_number[2].suggestion == "dog"
    assert set(found.next[:4]) == set(pile[8:])
    assert found.groups[0].number == 3  # the one that leaves most in doubt


def test_suggest__of_no_class_teaches_nothing(pile: list[str]) -> None:
    waiting.decide("pets", {pile[0]: NONE, pile[1]: "cat"})
    found = suggest.suggest(waiting.read("pets"))
    assert {one.class_name for one in found.of.values()} == {""}
    assert not {pile[0], pile[1]} & {*found.of}


def test_is_due__what_came_since_is_not_asked_about_yet(
    pile: list[str], tmp_path: Path
) -> None:
    assert not suggest.is_due(waiting.read("pets"))
    waiting.bring(make_pictures(tmp_path / "more", {"a": 1}, seed=77), "pets")
    assert suggest.is_due(waiting.read("pets"))
    assert len(suggest.suggest(waiting.read("pets")).next) == 12
