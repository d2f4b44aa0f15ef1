"""Copies recordings into a folder of the workspace, hears them, cuts long ones.

What cannot be used is passed over; what is odd but usable, such as silence, is named.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

from transfer import workspace
from transfer.datasets import names
from transfer.datasets.facts import Fact
from transfer.datasets.ingest import staging
from transfer.datasets.ingest.class_folders import Entry
from transfer.datasets.ingest.sources import Source
from transfer.datasets.ingest.staging import Allow, Coming, Picture, Progress
from transfer.datasets.revision import PassedOver
from transfer.datasets.sounds import recordings, windows
from transfer.datasets.sounds.recordings import MAX_SECONDS, MIN_SECONDS, Samples
from transfer.datasets.sounds.windows import Cutting
from transfer.errors import ImageError, SoundError

#: Nothing is louder than this share of full scale: 60 dB below it.
_SILENT = 1e-3
#: Samples at full scale, as a share of all, from which a recording is overdriven.
_FULL, _OVERDRIVEN = 0.999, 1e-3
#: Between the name of a recording and the second at which a window begins.
_MARK = "@"
#: What `_cut` names a window, and `names` adds where a path is taken.
_WINDOW = re.compile(rf"{_MARK}\d{{5,}}\.\d\d(-[0-9a-f]{{8}})?\.flac$")


@dataclass(frozen=True, kw_only=True)
class Clip(Picture):
    """A recording, or a window of one, that was copied and can be heard.

    Attributes:
        seconds: Its length.
        rate: Samples a second.
        is_overdriven: Whether it is cut off at full scale.
    """

    seconds: float = 0.0
    rate: int = 0
    is_overdriven: bool = False


def stage(
    source: Source,
    entries: Sequence[Entry],
    folder: Path,
    cutting: Cutting,
    progress: Progress | None = None,
    allow: Allow | None = None,
) -> tuple[list[Clip], list[PassedOver]]:
    """As `staging.stage`, of recordings; a long one gives a clip for each window.

    Raises:
        StorageError: The disk is full or `folder` cannot be written.
    """
    staging.check_coming(source, entries, folder, allow)
    clips: list[Clip] = []
    passed_over: list[PassedOver] = []
    hear = partial(_hear, cutting)
    with closing(staging.each(hear, source, entries, folder)) as results:
        for done, found in enumerate(results, start=1):
            if isinstance(found, PassedOver):
                passed_over.append(found)
            else:
                clips += found
            if progress:
                progress(done, len(entries))
    return clips, passed_over


def recording_of(path: str) -> str:
    """The recording that a clip's path names: of a window what it was cut from."""
    return _WINDOW.sub("", path)


def findings(clips: Sequence[Clip]) -> Iterator[str]:
    """What is odd about clips that are used all the same, a sentence for each kind."""
    odd = {
        "silent: nothing in them is louder than 60 dB below full scale": [
            one for one in clips if one.is_flat
        ],
        "overdriven: cut off at full scale": [
            one for one in clips if one.is_overdriven
        ],
    }
    for what, found in odd.items():
        if found:
            listed = names.in_words([names.showable(x.entry.path) for x in found], 3)
            yield f"{len(found):,} of {len(clips):,} recordings are {what} ({listed})."


def _hear(cutting: Cutting, coming: Coming) -> list[Clip] | PassedOver:
    target = coming.new_file()
    try:
        staging.check_bytes(coming.size)
        sha256 = staging.copy(coming, target)
        with recordings.open_recording(target) as file:
            length = recordings.seconds(file)
            if cutting.window and length > cutting.window:
                return _cut(file, cutting, coming, target)
            return [_whole(file, coming, sha256, target)]
    except ImageError as error:
        target.unlink(missing_ok=True)
        reason = f"{error.message} {error.hint}".strip()
        if reason.startswith(f"{target.name} "):  # the copy has a number for a name
            reason = f"The file{reason[len(target.name) :]}"
        return PassedOver(path=names.showable(coming.entry.path), reason=reason)


def _whole(
    file: soundfile.SoundFile, coming: Coming, sha256: str, target: Path
) -> Clip:
    """The recording as one clip.

    Raises:
        SoundError: It is too short or too long.
    """
    count, heard, rate = 0, _Heard(), file.samplerate
    for block in recordings.blocks(file):
        count += len(block)
        heard.add(block)
        if count > MAX_SECONDS * rate:
            raise SoundError(
                f"It is too long: more than {MAX_SECONDS:.0f} seconds.",
                "Have long recordings cut into windows.",
            )
    if not count:
        raise SoundError("The recording has no samples.")
    if count < MIN_SECONDS * rate:
        raise SoundError(f"It is too short: {1000 * count / rate:.1f} milliseconds.")
    return Clip(
        entry=coming.entry,
        sha256=sha256,
        path=target,
        fact=Fact(0, 0, target.stat().st_size, 0.0),
        is_flat=heard.peak < _SILENT,
        day=coming.day,
        group=coming.entry.path,
        seconds=count / rate,
        rate=rate,
        is_overdriven=heard.is_overdriven,
    )


class _Heard:
    """How loud what was heard is."""

    def __init__(self) -> None:
        self.peak, self._full, self._count = 0.0, 0, 0

    def add(self, samples: Samples) -> None:
        loud = np.abs(samples)
        self.peak = max(self.peak, float(loud.max(initial=0.0)))
        self._full += int((loud >= _FULL).sum())
        self._count += len(samples)

    @property
    def is_overdriven(self) -> bool:
        """Whether much of it is at full scale."""
        return self._full > _OVERDRIVEN * self._count


def _cut(
    file: soundfile.SoundFile,
    cutting: Cutting,
    coming: Coming,
    target: Path,
) -> list[Clip]:
    """A clip for each window, in files of its own beside the recording's copy."""
    clips, entry = [], coming.entry
    for number, window in enumerate(windows.cut(file, *cutting)):
        path = target.with_name(f"{target.name}-{number}")
        content = windows.encode(window, file.samplerate)
        with workspace.writing(path):
            path.write_bytes(content)
        heard = _Heard()
        heard.add(window.floats)
        named = f"{entry.path}{_MARK}{window.start:08.2f}.flac"
        clips.append(
            Clip(
                entry=replace(entry, path=named),
                sha256=hashlib.sha256(content).hexdigest(),
                path=path,
                fact=Fact(0, 0, len(content), 0.0),
                is_flat=heard.peak < _SILENT,
                day=coming.day,
                group=entry.path,
                seconds=window.end - window.start,
                rate=file.samplerate,
                is_overdriven=heard.is_overdriven,
            )
        )
    target.unlink()
    return clips
