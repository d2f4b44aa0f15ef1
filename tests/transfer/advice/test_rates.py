"""Learning rates: what a curve tells, and range tests of a real backbone."""

import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.pictures import make_pictures
from transfer.__main__ import parser
from transfer.advice import rates, try_rates
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import ConfigError, TrainingError
from transfer.training.phase import Phase
from transfer.training.steps import Steps

pytestmark = pytest.mark.usefixtures("workspace", "tiny")


@pytest.fixture
def revision(workspace: Path, tmp_path: Path) -> Revision:
    """Two classes that differ in colour, 12 images each."""
    make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})
    return importer.import_path(tmp_path / "pets", "pets", val=0.25)


def config(**settings: Any) -> TrainConfig:
    """Settings of a small backbone."""
    given = {"dataset": "pets", "backbone": "tiny", "weights": "random"}
    given |= {"image_size": 32, "batch_size": 8}
    return rates.relevant(TrainConfig.of(**{**given, **settings}))


def falling_until(step: int, least: float = 0.5) -> list[float]:
    """Losses that fall from 2 until a step and rise after it."""
    before = np.linspace(2.0, least, step)
    return [*before, *np.linspace(least, 9.0, rates.STEPS - step)]


def value(variable: Any) -> Any:
    """The variable's value, copied."""
    return np.array(keras.ops.convert_to_numpy(variable))


def rate_of(step: int) -> float:
    """The rate that is tried at a step."""
    return rates.LOWEST * rates.GROWTH**step


def test_curve__where_the_loss_falls_a_tenth_of_the_rate_where_it_is_least() -> None:
    curve = rates.curve("head", falling_until(60), 5)
    least = curve.rates[int(np.argmin(curve.losses))]
    assert rate_of(60) <= least < rate_of(66)  # smoothing lags behind
    assert curve.suggested == pytest.approx(least / 10, rel=0.35)
    assert curve.rates[-1] == pytest.approx(rates.HIGHEST)


@pytest.mark.parametrize("start", [0.02, 0.2])
def test_curve__from_a_good_start_a_third_of_the_rate_where_it_has_risen(
    start: float,
) -> None:
    losses = [start] * 60 + [start + 0.1 * step for step in range(40)]
    curve = rates.curve("head", losses, 5)
    pairs = zip(curve.rates, curve.losses, strict=True)
    risen = next(r for r, y in pairs if y > start + 0.2 * np.log(5))
    assert rate_of(62) < risen < rate_of(72)
    assert curve.suggested == pytest.approx(risen / 3, rel=0.35)


def test_curve__a_loss_that_never_rises_takes_a_third_of_the_largest() -> None:
    assert rates.curve("head", [0.2] * rates.STEPS, 5).suggested == 0.3


def test_curve__noise_is_smoothed() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, rates.STEPS)
    calm = rates.curve("head", falling_until(70), 5)
    noisy = rates.curve("head", [*(np.array(falling_until(70)) + noise)], 5)
    assert noisy.suggested == pytest.approx(calm.suggested, rel=0.6)


def test_curve__a_loss_of_no_number_from_the_start_is_told() -> None:
    with pytest.raises(TrainingError, match="After 3 steps.*freeze more"):
        rates.curve("head", [1.0, 2.0, 3.0], 5)


def test_has_diverged__far_above_the_least() -> None:
    losses = [1.0] * 30
    assert not rates.has_diverged([], 5)
    assert not rates.has_diverged([*losses, 5.0], 5)
    assert rates.has_diverged([*losses, *[20.0] * 5], 5)


def test_relevant__a_closed_form_has_no_rate() -> None:
    with pytest.raises(ConfigError, match="has no learning rate.*method `train`"):
        config(method="instant")


def test_request__its_subject_differs_where_the_curves_do() -> None:
    first = rates.request(config())
    assert rates.request(config(head_epochs=3, learning_rate=0.1)) == first
    for change in ({"freeze": "last:1"}, {"batch_size": 4}, {"optimizer": "sgd"}):
        assert rates.request(config(**change)).subject != first.subject


def test_request__of_stretched_pictures_is_found_as_before_there_was_a_choice() -> None:
    given = rates.relevant(config()).model_dump_json(exclude={"resizing"})
    digest = hashlib.sha256(given.encode()).hexdigest()[:12]
    assert rates.request(config()).subject.endswith(f"-{digest}")
    assert rates.request(config(resizing="fit")).subject[-12:] != digest


def test_request__the_command_has_the_same_settings() -> None:
    wanted = config(freeze="last:2", l2_sp=0.1, revision="abc")
    words = rates.request(wanted).words
    args = vars(parser().parse_args([*words, "--job", "x"]))
    given = {k: v for k, v in args.items() if k in TrainConfig.model_fields}
    assert rates.relevant(TrainConfig(**given)) == wanted


@pytest.mark.parametrize("freeze", ["all", "last:1"])
def test_find__every_phase_and_val_is_not_touched(
    revision: Revision, freeze: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "STEPS", 14)
    told: list[dict[str, Any]] = []
    found = [
        *try_rates.find(config(freeze=freeze), revision, lambda **v: told.append(v))
    ]
    phases = ["head"] if freeze == "all" else ["head", "fine_tune"]
    assert [one.phase for one in found] == phases
    for curve in found:
        assert 1 < len(curve.losses) == len(curve.rates) <= 14
        assert np.isfinite(curve.losses).all()
        assert 0 < curve.suggested < 1
    assert {one["steps"] for one in told if one.get("phase") == "head"} >= {14}


def test_find__weights_are_put_back(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "STEPS", 12)
    phases: list[tuple[Phase, list[Any]]] = []
    run = Phase.run

    def note(phase: Phase, *arguments: Any) -> None:
        variables, is_test = phase.steps.variables, phase.steps.most_per_call
        if is_test:
            phases.append((phase, [value(v) for v in variables]))
        run(phase, *arguments)
        if is_test:  # it has learnt something, which is to be undone
            assert any(
                not np.array_equal(before, value(v))
                for before, v in zip(phases[-1][1], variables, strict=True)
            )

    monkeypatch.setattr(Phase, "run", note)
    monkeypatch.setattr(rates, "LOWEST", 1e-4)
    # Smoothed, for where every answer is right and sure there is no gradient.
    wanted = config(freeze="last:1", label_smoothing=0.1)
    found = try_rates.find(wanted, revision, lambda **_: None)
    for number, _ in enumerate(found):
        phase, before = phases[number]
        for start, variable in zip(before, phase.steps.variables, strict=True):
            np.testing.assert_array_equal(start, value(variable))


def test_find__a_loss_that_is_no_number_ends_the_test(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_call, seen = Steps._time_call, [0]

    def broken(steps: Steps, call: Any) -> tuple[float, list[Any]]:
        seconds, (losses, *others) = time_call(steps, call)
        seen[0] += 1
        return seconds, [losses * (np.nan if seen[0] == 15 else 1), *others]

    monkeypatch.setattr(Steps, "_time_call", broken)
    (curve,) = try_rates.find(config(), revision, lambda **_: None)
    assert len(curve.losses) == 14 - rates._FEW


def test_find__without_the_memory_says_what_to_do(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(Phase, "_train_epoch", full)
    with pytest.raises(TrainingError, match="for 8 examples.*smaller batch size"):
        [*try_rates.find(config(), revision, lambda **_: None)]


def test_subset__is_no_more_of_train_than_the_steps_need(revision: Revision) -> None:
    small = try_rates.subset(revision, 10)
    assert (len(small.of_split("train")), len(small.of_split("val"))) == (10, 6)
