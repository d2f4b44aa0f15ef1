"""Classifies pictures with the exported model.

    python -m pip install -r requirements.txt
    python predict.py picture.jpg other.png
    python predict.py --json picture.jpg

Pictures are decoded by decoding.py, whose parts lie in pixels/, exactly as they were
for training; runner.py runs the model. `@list.txt` stands for the paths in a file, one
a line.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import numpy as np  # noqa: E402
from decoding import decode  # type: ignore[import-not-found]  # noqa: E402
from runner import Runner  # type: ignore[import-not-found]  # noqa: E402

MODEL = json.loads((HERE / "model.json").read_text("utf-8"))
CLASS_NAMES = MODEL["class_names"]
#: Below this probability the answer is "I don't know"; 0 where none was chosen.
THRESHOLD = MODEL["threshold"] or 0.0
HEIGHT, WIDTH = MODEL["input"]["shape"][1:3]
#: The values that are black and white where grey has more than 8 bits.
GREY = MODEL["preprocessing"]["grey"]
#: How a picture of another shape is brought to the model's.
RESIZING = MODEL["preprocessing"]["resize"]["resizing"]


def pixels(path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The picture as the model takes it: float32 `(1, height, width, 3)`, 0 to 255."""
    decoded = decode(path, (HEIGHT, WIDTH), GREY, RESIZING)
    return np.asarray(decoded, np.float32)[None]


def classify(runner: Runner, paths: list[Path]) -> list[dict[str, object]]:
    """Probabilities in the order of labels.txt, and milliseconds of the model alone."""
    answers: list[dict[str, object]] = []
    for path in paths:
        image = pixels(path)
        start = time.perf_counter()
        (probabilities,) = runner.run(image)
        answers.append(
            {
                "path": str(path),
                "class_name": CLASS_NAMES[int(np.argmax(probabilities))],
                "sure": bool(np.max(probabilities) >= THRESHOLD),
                "probabilities": [float(one) for one in probabilities],
                "milliseconds": 1000 * (time.perf_counter() - start),
            }
        )
    return answers


def load() -> Runner:
    """The model, which has run once so that the first picture is not slower."""
    runner = Runner(HERE / MODEL["file"])
    runner.run(np.zeros((1, HEIGHT, WIDTH, 3), np.float32))
    return runner


def main() -> int:
    """Prints the three likeliest classes of each picture, or all as JSON."""
    parser = argparse.ArgumentParser(
        description="Classifies pictures", fromfile_prefix_chars="@"
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--json", action="store_true", help="all probabilities as JSON")
    args = parser.parse_args()
    try:
        answers = classify(load(), args.paths)
    except Exception as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if args.json:
        spent = statistics.median(one["milliseconds"] for one in answers)  # type: ignore[type-var]
        told = {"predictions": answers, "milliseconds_per_image": spent}
        print(json.dumps(told))
        return 0
    for answer in answers:
        values = np.array(answer["probabilities"])
        best = [f"{CLASS_NAMES[i]} {values[i]:.1%}" for i in np.argsort(-values)[:3]]
        unsure = "" if answer["sure"] else "I don't know; "
        print(f"{answer['path']}: {unsure}{', '.join(best)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
