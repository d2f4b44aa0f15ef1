"""Proof that an exported file answers as the app does, measured on val images."""

import json
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer import processes, workspace
from transfer.errors import RunError
from transfer.export import catalogue

#: Seconds that the exported file may take for all of them.
_PATIENCE = 1800

#: How lines begin that TensorFlow, LiteRT, ONNX Runtime and OpenVINO log by themselves.
_NATIVE_LOG = re.compile(
    r"[IWEF]\d{4} [\d.:]+|\d{4}-\d\d-\d\d [\d:.,]+|INFO: |WARNING: |ERROR: |"
    r"\[ ?(INFO|WARN|WARNING|ERROR|DEBUG) ?\]|To enable the following instructions"
)


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """How far an exported file agrees with the app.

    Attributes:
        images: Number of images compared.
        split: Where they come from: `val`, or `train` for a dataset without val.
        largest_difference: Largest difference of any probability, 0 to 1.
        agreement: Share of images with the same first guess, 0 to 1.
        tolerance: What `largest_difference` may be; None where only the agreement
            counts.
        agrees: Whether it is within the tolerance.
        bytes: Size of the model's file or folder.
        milliseconds_per_image: Median time of the model alone, one image at a time,
            on the machine that exported it.
        differing: The images whose first guess differs: `file`, `app`, `exported`.
    """

    images: int
    split: str
    largest_difference: float
    agreement: float
    tolerance: float | None
    agrees: bool
    bytes: int
    milliseconds_per_image: float
    differing: list[dict[str, str]]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def exported_answers(
    bundle: Path, pictures: list[Path], python: str = sys.executable
) -> tuple[NDArray[np.float32], float]:
    """What the bundle's own predict.py says, run in a process without our package.

    Args:
        bundle: The bundle's folder.
        pictures: Encoded pictures.
        python: The interpreter that runs it.

    Returns:
        Probabilities `(pictures, num_classes)` and milliseconds per image.

    Raises:
        RunError: predict.py failed; the message has its last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "pictures.txt"
        listed.write_text("\n".join(map(str, pictures)), "utf-8")
        # -B: what Python would leave beside the programs is not part of the bundle.
        command = [python, "-I", "-B", str(bundle / "predict.py"), "--json"]
        try:
            done = subprocess.run(  # noqa: S603  our own script
                [*command, f"@{listed}"],
                env=processes.environment(),
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
            )
        except subprocess.TimeoutExpired as error:
            raise RunError(
                f"The exported file has not answered within {_PATIENCE} s."
            ) from error
    if done.returncode:
        raise RunError(f"The exported file cannot be run: {_reason(done.stderr)[:300]}")
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    rows = [one["probabilities"] for one in answer["predictions"]]
    return np.array(rows, np.float32), float(answer["milliseconds_per_image"])


def _reason(output: str) -> str:
    """The last line that is no native library's log."""
    lines = [one for one in output.splitlines() if one and not _NATIVE_LOG.match(one)]
    return lines[-1] if lines else "no reason given"


def certify(
    bundle: Path,
    pictures: list[Path],
    own: NDArray[np.float32],
    *,
    quantize: str,
    split: str,
    python: str = sys.executable,
) -> Certificate:
    """Compares the bundle's answers with the app's.

    Args:
        bundle: The bundle's folder, complete but for the certificate.
        pictures: Encoded pictures.
        own: The app's probabilities of them, `(pictures, num_classes)`.
        quantize: One of `catalogue.QUANTIZATIONS`.
        split: Where the pictures come from.
        python: The interpreter that runs the bundle's predict.py.

    Raises:
        RunError: The exported file cannot be run.
    """
    described = json.loads((bundle / "model.json").read_text("utf-8"))
    names = described["class_names"]
    got, milliseconds = exported_answers(bundle, pictures, python)
    same = got.argmax(1) == own.argmax(1)
    difference = float(np.abs(got - own).max())
    tolerance = catalogue.TOLERANCES.get(quantize)
    agreement = float(same.mean())
    within = (
        agreement >= catalogue.smallest_agreement(quantize, len(pictures))
        if tolerance is None
        else difference <= tolerance
    )
    return Certificate(
        images=len(pictures),
        split=split,
        largest_difference=difference,
        agreement=agreement,
        tolerance=tolerance,
        agrees=bool(np.isfinite(got).all()) and within,
        bytes=size(bundle, described["file"]),
        milliseconds_per_image=round(milliseconds, 3),
        differing=[
            {
                "file": pictures[one].name,
                "app": names[own[one].argmax()],
                "exported": names[got[one].argmax()],
            }
            for one in np.flatnonzero(~same)
        ],
    )


def size(bundle: Path, file: str) -> int:
    """Bytes of the model: a file, a folder, or OpenVINO's pair of files."""
    path = bundle / file
    pair = [path.with_suffix(".bin")] if path.suffix == ".xml" else []
    return workspace.bytes_of(path, *pair)
