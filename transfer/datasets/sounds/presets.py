"""Parameters of spectrograms for sounds of a kind, and which of them fit a dataset."""

from collections.abc import Sequence

import numpy as np

from transfer.datasets.sounds.recordings import MAX_SECONDS
from transfer.datasets.sounds.spectrogram import Spectrogram

#: A spoken word: what speech is told apart by lies below 8 kHz and changes fast. Bands
#: and range were chosen on val of spoken digits, speakers mixed: tests/benchmarks.
WORD = Spectrogram(
    rate=16_000,
    seconds=1.0,
    window=0.025,
    hop=0.005,
    bands=24,
    low=50.0,
    high=8_000.0,
    decibels=50.0,
    finer=1,
    trims=30.0,
    evens=1,
)
#: A longer sound, such as a bird, an engine or a piece of music: finer in its notes,
#: coarser in time.
LONGER = Spectrogram(
    rate=32_000,
    seconds=5.0,
    window=0.040,
    hop=0.020,
    bands=128,
    low=20.0,
    high=16_000.0,
    decibels=50.0,
    trims=30.0,
)
#: Names of the presets, for people and the command line.
PRESETS = {"word": WORD, "longer": LONGER}
TITLES = {"word": "a spoken word", "longer": "a longer sound"}

#: Seconds up to which sounds are drawn like words.
_WORD_SECONDS = 1.5


def fitting(lengths: Sequence[float], window: float = 0.0) -> str:
    """Name of the preset for sounds of these lengths.

    Args:
        lengths: Of each sound, in seconds.
        window: Seconds of the windows that recordings were cut into; 0 if they were
            not.
    """
    return "word" if _seconds(lengths, window) <= _WORD_SECONDS else "longer"


def of(
    name: str, lengths: Sequence[float], rates: Sequence[int], window: float = 0.0
) -> Spectrogram:
    """The preset, fitted to sounds of these lengths and rates; see `fitting`.

    Nineteen in twenty sounds are seen whole. Rate and range end where most of the
    recordings end: bands above would be empty.
    """
    preset = PRESETS[name]
    own_rates, counts = np.unique(np.asarray(rates, np.int64), return_counts=True)
    rate = min(preset.rate, int(own_rates[counts.argmax()]))
    return preset._replace(
        rate=rate,
        seconds=_seconds(lengths, window),
        high=min(preset.high, rate / 2),
        # A window is as long as all others, whatever is heard in it.
        trims=0.0 if window else preset.trims,
    )


def _seconds(lengths: Sequence[float], window: float) -> float:
    """Seconds that a picture shows, in tenths."""
    seconds = window or float(np.percentile(lengths, 95))
    return float(np.clip(np.ceil(round(seconds * 10, 6)) / 10, 0.1, MAX_SECONDS))


def in_words(how: Spectrogram) -> list[str]:
    """What is done to recordings beyond a log-mel spectrogram, a sentence each."""
    seconds = f"{how.seconds:g} s"
    told = [
        f"Silence at both ends, {how.trims:g} dB below the loudest, is cut off, and "
        f"the rest fills the spectrogram; of more than {seconds} the loudest part "
        "counts."
        if how.trims
        else f"Sounds shorter than {seconds} stand in silence, and of longer ones the "
        "loudest part counts."
    ]
    told.append("Those of more than one and a half times as long are gone through.")
    if how.evens:
        told.append(
            "Each band's mean over time is taken from it, so that it matters less who "
            "speaks and into what."
        )
    if how.finer != 1:
        longer = f"{how.finer} and {how.finer**2}"
        told.append(f"In green and blue the window is {longer} times as long.")
    return told
