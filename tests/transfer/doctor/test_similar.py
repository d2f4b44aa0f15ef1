import numpy as np
import pytest

from transfer.doctor import similar


@pytest.mark.parametrize("exact", [True, False])
def test_candidates__the_nearest_by_features(
    monkeypatch: pytest.MonkeyPatch, exact: bool
) -> None:
    monkeypatch.setattr(similar, "_EXACT", 10_000 if exact else 0)
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 64)).astype(np.float32)
    rows[7] = rows[250] + 0.1
    greys = random.integers(0, 255, (300, 64, 64), np.uint8)
    told: list[tuple[int, int]] = []
    found = similar.candidates(
        similar.project(rows), greys, lambda *words: told.append(words)
    )
    assert told == sorted(told) and told[-1] == (300, 300)
    assert (found.first[0], found.second[0]) == (7, 250)


def test_candidates__far_in_features_but_alike_at_a_glance() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(50, 64)).astype(np.float32)
    greys = np.repeat(np.repeat(random.integers(0, 255, (50, 8, 8)), 8, 1), 8, 2)
    greys[1], greys[3] = greys[40], greys[44][:, ::-1]
    found = similar.candidates(similar.project(rows), greys.astype(np.uint8))
    ends = {*zip(found.first.tolist(), found.second.tolist(), strict=True)}
    assert {(1, 40), (3, 44)} <= ends


def test_candidates__are_the_same_however_many_pairs_are_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    near = similar.project(random.normal(size=(300, 8)).astype(np.float32))
    greys = random.integers(0, 255, (300, 64, 64), np.uint8)
    monkeypatch.setattr(similar, "_PIECE", 64)
    monkeypatch.setattr(similar, "_PAIRS", 100)
    at_once = similar.candidates(near, greys)
    monkeypatch.setattr(similar, "_HELD", 0)
    for one, other in zip(similar.candidates(near, greys), at_once, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(at_once.first) == 250
