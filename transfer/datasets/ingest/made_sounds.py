"""Tones and rhythms made by formulas: a sample of sounds that needs no network."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from transfer import workspace

#: Recordings of each class, samples a second, and shortest and longest in seconds.
_COUNT, _RATE, _SECONDS = 40, 16_000, (0.8, 1.2)

Samples = NDArray[np.float64]
#: From the time in seconds and random numbers to what is heard.
_Make = Callable[[Samples, np.random.Generator], Samples]


def write(folder: Path) -> None:
    """Writes a folder for each class into a folder, the same ones every time."""
    for label, (name, make) in enumerate(_CLASSES.items()):
        for index in range(_COUNT):
            random = np.random.default_rng((label, index))
            path = folder / name / f"{index:03}.flac"
            with workspace.writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(str(path), _record(make, random), _RATE, "PCM_16")


def _record(make: _Make, random: np.random.Generator) -> Samples:
    """One recording: as loud as it happens to be, somewhere in a little noise."""
    time = np.arange(round(random.uniform(*_SECONDS) * _RATE)) / _RATE
    heard = make(time, random)
    before, behind = random.uniform(0.02, 0.12, 2) * _RATE
    heard = np.pad(heard, (round(before), round(behind)))
    heard *= random.uniform(0.1, 0.8) / np.abs(heard).max()
    return heard + 10 ** random.uniform(-4, -2.5) * random.standard_normal(len(heard))


def _sing(hertz: Samples, random: np.random.Generator) -> Samples:
    """A tone of this pitch at each time, with overtones of some instrument."""
    phase = 2 * np.pi * np.cumsum(hertz) / _RATE
    strengths = random.uniform(0, 1, 5) / np.arange(1, 6)
    strengths[0] = 1.0
    sung = sum(s * np.sin(k * phase) for k, s in enumerate(strengths, start=1))
    # Softly on and off, or it would click.
    fade = np.clip(np.arange(len(hertz)) / (0.03 * _RATE), 0, 1)
    return np.asarray(sung * fade * fade[::-1])


def _glide(direction: int) -> _Make:
    def make(time: Samples, random: np.random.Generator) -> Samples:
        octaves = direction * random.uniform(0.6, 1.6) * (time / time[-1] - 0.5)
        return _sing(random.uniform(300, 900) * 2**octaves, random)

    return make


def _waver(time: Samples, random: np.random.Generator) -> Samples:
    depth, often = random.uniform(0.15, 0.4), random.uniform(4, 8)
    octaves = depth * np.sin(2 * np.pi * (often * time + random.uniform()))
    return _sing(random.uniform(300, 900) * 2**octaves, random)


def _knock(shares: tuple[float, ...]) -> _Make:
    """Knocks, with pauses in these shares of a beat by turns."""

    def make(time: Samples, random: np.random.Generator) -> Samples:
        beat, at, knock = random.uniform(0.26, 0.36), 0.0, random.uniform(150, 700)
        heard = np.zeros(len(time))
        for number in range(99):
            since = time - at
            rings = np.where(since >= 0, np.exp(-since.clip(0) * 60), 0.0)
            heard += rings * np.sin(2 * np.pi * knock * since)
            at += beat * shares[number % len(shares)] * random.uniform(0.97, 1.03)
            if at > time[-1]:
                break
        return heard

    return make


_CLASSES: dict[str, _Make] = {
    "rising": _glide(1),
    "falling": _glide(-1),
    "wavering": _waver,
    "even knocks": _knock((0.5,)),
    "gallop": _knock((0.25, 0.25, 0.5)),
}
