"""A stored recording as every browser plays it."""

import io
from pathlib import Path

import numpy as np
import soundfile

from transfer.datasets.sounds import recordings
from transfer.datasets.sounds.recordings import MAX_SECONDS


def to_wav(source: Path | bytes) -> bytes:
    """A recording as a WAV of 16 bits in mono, of long ones the first minute.

    Browsers play neither all of the formats that can be brought nor 32 bits.

    Raises:
        SoundError: It cannot be read.
    """
    with recordings.open_recording(source) as file:
        limit, pieces, count = round(MAX_SECONDS * file.samplerate), [], 0
        for block in recordings.blocks(file, file.samplerate):
            pieces.append(block)
            count += len(block)
            if count >= limit:
                break
        samples = np.concatenate([np.empty(0, np.float32), *pieces])[:limit]
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, file.samplerate, "PCM_16", format="WAV")
        return buffer.getvalue()
