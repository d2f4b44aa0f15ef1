"""Classifies files with the exported model.

    python -m pip install -r requirements.txt
    python predict.py FILE FILE
    python predict.py --json FILE

reader.py reads them exactly as they were read for training; runner.py runs the model.
`@list.txt` stands for the paths in a file, one a line.
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
from reader import Reader  # type: ignore[import-not-found]  # noqa: E402
from runner import Runner  # type: ignore[import-not-found]  # noqa: E402

MODEL = json.loads((HERE / "model.json").read_text("utf-8"))
CLASS_NAMES = MODEL["class_names"]
#: Below this probability the answer is "I don't know"; 0 where none was chosen.
THRESHOLD = MODEL["threshold"] or 0.0
HEIGHT, WIDTH = MODEL["input"]["shape"][1:3]
READER = Reader(MODEL)


def classify(runner: Runner, paths: list[Path]) -> list[dict[str, Any]]:
    """Probabilities in the order of labels.txt, and milliseconds of the model alone.

    Of a file in several parts they are the means of theirs.
    """
    answers: list[dict[str, Any]] = []
    for path in paths:
        times, rows, spent = [], [], []
        for time_of_it, image in READER.parts(path):
            start = time.perf_counter()
            (row,) = runner.run(image)
            spent.append(1000 * (time.perf_counter() - start))
            times.append(time_of_it)
            rows.append(row)
        probabilities = np.mean(rows, axis=0)
        told = READER.tell(times, np.array(rows), CLASS_NAMES)
        answers.append(
            {
                "path": str(path),
                "class_name": CLASS_NAMES[int(np.argmax(probabilities))],
                "sure": bool(np.max(probabilities) >= THRESHOLD),
                "probabilities": [float(one) for one in probabilities],
                "milliseconds": statistics.median(spent),
                **told,
            }
        )
    return answers


def load() -> Runner:
    """The model, which has run once so that the first file is not slower."""
    runner = Runner(HERE / MODEL["file"])
    runner.run(np.zeros((1, HEIGHT, WIDTH, 3), np.float32))
    return runner


def main() -> int:
    """Prints the three likeliest classes of each file, or all as JSON."""
    parser = argparse.ArgumentParser(
        description="Classifies files", fromfile_prefix_chars="@"
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
        spent = statistics.median(one["milliseconds"] for one in answers)
        told = {"predictions": answers, "milliseconds_per_image": spent}
        print(json.dumps(told))
        return 0
    for answer in answers:
        values = np.array(answer["probabilities"])
        best = [f"{CLASS_NAMES[i]} {values[i]:.1%}" for i in np.argsort(-values)[:3]]
        unsure = "" if answer["sure"] else "I don't know; "
        print(f"{answer['path']}: {unsure}{', '.join(best)}")
        for one in answer.get("segments", [])[1:] and answer["segments"]:
            span = f"{one['start']:.2f} to {one['end']:.2f} s"
            print(f"  {span}: {one['class_name']} {one['probability']:.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
