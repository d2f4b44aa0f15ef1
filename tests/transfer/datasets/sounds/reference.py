"""Writes reference.npz: ten signals' spectrograms as librosa computes them.

    python -m pip install librosa==0.11.0
    python tests/transfer/datasets/sounds/reference.py

Run once; librosa is no dependency of the tests, which compare with the kept figures.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: Name, rate, window and hop in seconds, bands, low and high in Hz.
SETTINGS = (
    ("chirp", 8000, 0.025, 0.010, 64, 50.0, 4000.0),
    ("noise", 8000, 0.025, 0.010, 40, 20.0, 4000.0),
    ("click", 16000, 0.025, 0.010, 64, 50.0, 8000.0),
    ("silence", 16000, 0.025, 0.010, 64, 50.0, 8000.0),
    ("tone", 16000, 0.032, 0.016, 80, 0.0, 8000.0),
    ("beats", 16000, 0.020, 0.010, 32, 100.0, 7000.0),
    ("loud", 22050, 0.040, 0.020, 96, 20.0, 11025.0),
    ("quiet", 22050, 0.040, 0.020, 128, 20.0, 11025.0),
    ("steps", 32000, 0.040, 0.020, 128, 20.0, 16000.0),
    ("short", 32000, 0.040, 0.020, 64, 20.0, 14000.0),
)


def signal(name: str, rate: int) -> NDArray[np.float32]:
    """One of the ten signals."""
    count = round((0.013 if name == "short" else 0.3) * rate)
    time, random = np.arange(count) / rate, np.random.default_rng(7)
    made = {
        "chirp": np.sin(2 * np.pi * (100 * time + 3000 * time**2)),
        "noise": 0.3 * random.standard_normal(count),
        "click": (np.arange(count) == count // 2).astype(float),
        "silence": np.zeros(count),
        "tone": np.sin(2 * np.pi * 440 * time),
        "beats": np.sin(2 * np.pi * 300 * time) * np.sin(2 * np.pi * 13 * time),
        "loud": np.sign(np.sin(2 * np.pi * 220 * time)),
        "quiet": 1e-4 * np.sin(2 * np.pi * 1000 * time),
        "steps": np.sin(2 * np.pi * 500 * time * (1 + np.floor(time * 10))),
        "short": np.sin(2 * np.pi * 700 * time),
    }
    return np.asarray(made[name], np.float32)


def _main() -> None:
    import librosa  # noqa: PLC0415  only whoever computes them anew has it

    found = {}
    for name, rate, window, hop, bands, low, high in SETTINGS:
        length = round(window * rate)
        mel = librosa.feature.melspectrogram(
            y=signal(name, rate).astype(np.float64),
            sr=rate,
            n_fft=int(2 ** np.ceil(np.log2(2 * length))),
            win_length=length,
            hop_length=round(hop * rate),
            n_mels=bands,
            fmin=low,
            fmax=high,
            dtype=np.float64,
        )
        decibels = librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=None)
        found[name] = decibels.astype(np.float32)
    np.savez_compressed(Path(__file__).with_name("reference.npz"), **found)


if __name__ == "__main__":
    _main()
