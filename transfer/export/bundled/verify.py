"""Checks that the model answers here as it did when it was exported.

`python verify.py` classifies the files in golden/ and compares with the
probabilities that golden/expected.json holds; it ends with 1 where they disagree. A
model of 8 or 16-bit numbers is judged by its first guesses only.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
import predict  # type: ignore[import-not-found]  # noqa: E402


def main() -> int:
    """Prints what was found; 0 if the model agrees."""
    expected = json.loads((HERE / "golden" / "expected.json").read_text("utf-8"))
    files = [HERE / "golden" / one["file"] for one in expected["images"]]
    answers = predict.classify(predict.load(), files)
    got = np.array([one["probabilities"] for one in answers])
    wanted = np.array([one["probabilities"] for one in expected["images"]])
    difference = float(np.abs(got - wanted).max())
    agreeing = got.argmax(1) == wanted.argmax(1)
    print(
        f"{len(files)} files: same first guess for {int(agreeing.sum())}, largest "
        f"difference of a probability {difference:.2g}"
    )
    for one in np.flatnonzero(~agreeing):
        before, now = wanted[one].argmax(), got[one].argmax()
        names = predict.CLASS_NAMES
        print(f"  {files[one].name}: {names[before]} then, {names[now]} now")
    if expected["tolerance"] is None:
        agrees = agreeing.mean() >= expected["smallest_agreement"]
    else:
        agrees = difference <= expected["tolerance"]
    print("The model agrees." if agrees else "THE MODEL DOES NOT AGREE.")
    return 0 if agrees else 1


if __name__ == "__main__":
    sys.exit(main())
