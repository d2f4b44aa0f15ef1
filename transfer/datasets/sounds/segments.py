"""What is heard when: the answers to the windows of a recording, put together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.datasets.sounds import recordings

#: Share of a window that the next one has too, where a recording is gone through.
OVERLAP = 0.5
_LEAST_WINDOWS = 1.5


def is_gone_through(length: float, seconds: float) -> bool:
    """Whether a recording is answered window by window, or its loudest part alone.

    Args:
        length: Of the recording, in seconds.
        seconds: Of a window.
    """
    return length > min(_LEAST_WINDOWS * seconds, recordings.MAX_SECONDS)


class Segment(NamedTuple):
    """A part of a recording in which one class is the likeliest.

    Attributes:
        start: Seconds from the recording's beginning.
        end: Seconds too.
        label: Index of the class.
        probability: Its mean, 0 to 1.
    """

    start: float
    end: float
    label: int
    probability: float


def join(
    times: Sequence[tuple[float, float]], probabilities: NDArray[np.floating]
) -> list[Segment]:
    """The segments of a recording, one after another.

    Where windows overlap, the mean of theirs counts.

    Args:
        times: Start and end of each window, in the order of their starts.
        probabilities: `(windows, classes)`.
    """
    edges = sorted({time for window in times for time in window})
    starts, ends = np.array(times).T
    segments: list[Segment] = []
    for start, end in zip(edges, edges[1:], strict=False):
        first = int(np.searchsorted(ends, start, "right"))
        last = int(np.searchsorted(starts, end, "left"))
        if first == last:
            continue
        mean = probabilities[first:last].mean(0)
        label = int(mean.argmax())
        segments = _append(segments, Segment(start, end, label, float(mean[label])))
    return segments


def _append(segments: list[Segment], new: Segment) -> list[Segment]:
    """With one more, which goes on with the last where that is of the same class."""
    if not segments or segments[-1].label != new.label:
        return [*segments, new]
    last = segments.pop()
    lengths = last.end - last.start, new.end - new.start
    mean = np.average((last.probability, new.probability), weights=lengths)
    segments.append(Segment(last.start, new.end, last.label, float(mean)))
    return segments
