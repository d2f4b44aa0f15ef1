"""A run's answers to recordings: long ones are gone through, window by window."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from transfer.datasets.sounds import recordings, segments, windows
from transfer.datasets.sounds.segments import Segment
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.datasets.sounds.windows import Window
from transfer.errors import ImageError, SoundError

Ranking = list[tuple[str, float]]
#: Answers of a run to some sounds, or why there is none.
Ask = Callable[[Sequence[bytes | Path]], Sequence[Ranking | ImageError]]

#: Windows that are asked about at a time.
_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a run says of one recording.

    Attributes:
        ranking: Classes with their probabilities, best first: of a long recording the
            means of its windows.
        class_names: Of the labels of the segments.
        segments: What is heard when; one for all of a short recording.
    """

    ranking: Ranking
    class_names: tuple[str, ...]
    segments: tuple[Segment, ...]


def hear(
    ask: Ask, recording: Path | bytes, how: Spectrogram, most: float = math.inf
) -> Heard:
    """What a run says of a recording of any length.

    Args:
        ask: Gives the answers to some sounds.
        recording: A file, or its bytes.
        how: The spectrograms that the run learnt from.
        most: Seconds that the recording may have.

    Raises:
        ImageError: It cannot be read, or is longer.
        RunError: The run has no model, or the process died.
    """
    times: list[tuple[float, float]] = []
    rankings: list[Ranking] = []
    with recordings.open_recording(recording) as file:
        length = recordings.seconds(file)
        if length > most:
            raise SoundError(
                f"The recording has {length / 60:.0f} minutes; at most {most / 60:.0f} "
                "are gone through here.",
                "On the command line `python -m transfer predict` takes any length.",
            )
        if not segments.is_gone_through(length, how.seconds):
            times.append((0.0, length))
            rankings += _answers(ask, [recording])
        else:
            parts = windows.cut(file, how.seconds, segments.OVERLAP)
            for batch in _batches(parts):
                times += [(one.start, one.end) for one in batch]
                sounds = [windows.encode(one, file.samplerate) for one in batch]
                rankings += _answers(ask, sounds)
    if not rankings:
        raise SoundError("The recording has no samples.")
    names = sorted(name for name, _ in rankings[0])
    known = [dict(ranking) for ranking in rankings]
    rows = np.array([[one[name] for name in names] for one in known])
    mean = rows.mean(0)
    return Heard(
        ranking=[(names[at], float(mean[at])) for at in np.argsort(-mean)],
        class_names=tuple(names),
        segments=tuple(segments.join(times, rows)),
    )


def _answers(ask: Ask, sounds: Sequence[bytes | Path]) -> list[Ranking]:
    found: list[Ranking] = []
    for one in ask(sounds):
        if isinstance(one, ImageError):
            raise one
        found.append(one)
    return found


def _batches(parts: Iterator[Window]) -> Iterator[list[Window]]:
    while batch := list(islice(parts, _BATCH)):
        yield batch
