"""What a run says of pictures, as a table and as files: with *I don't know* in it."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from transfer.prediction.client import Ranking
from transfer.prediction.recordings import Heard

#: The answer where the best class is less probable than the threshold.
DONT_KNOW = "I don't know"

#: What a spreadsheet takes for the beginning of a formula; some the wide signs too.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a run says of one picture.

    Attributes:
        path: Its name, or its path inside the folder or zip.
        ranking: Classes with their probabilities, best first; empty after an error.
        error: Why there is no answer; empty if there is one.
    """

    path: str
    ranking: Ranking
    error: str = ""

    @property
    def confidence(self) -> float:
        """Probability of the best class, in [0, 1]; 0 after an error."""
        return self.ranking[0][1] if self.ranking else 0.0

    def verdict(self, threshold: float = 0.0) -> str:
        """The best class, or `DONT_KNOW` below the threshold; empty after an error."""
        if not self.ranking:
            return ""
        return self.ranking[0][0] if self.confidence >= threshold else DONT_KNOW


def to_csv(answers: Sequence[Answer], threshold: float = 0.0) -> bytes:
    """A table with one line for each picture, and the probability of each class.

    UTF-8 with the mark by which Excel knows it. A name that a spreadsheet would take
    for a formula gets an apostrophe before it, which makes it a text.
    """
    classes = sorted({name for one in answers for name, _ in one.ranking})
    buffer = io.BytesIO()
    with table(buffer, classes, threshold) as add:
        add(answers)
    return buffer.getvalue()


@contextmanager
def table(
    file: BinaryIO, classes: Sequence[str], threshold: float = 0.0
) -> Iterator[Callable[[Sequence[Answer]], None]]:
    """What adds answers to a table such as `to_csv` gives, some at a time.

    Args:
        file: Where it is written.
        classes: All that answers may name.
        threshold: As in `Answer.verdict`.
    """
    # A name on disk need not be text.
    text = io.TextIOWrapper(file, "utf-8-sig", "replace", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["file", "answer", "best_class", "confidence", "error"]
        + [f"probability of {name}" for name in classes]
    )

    def add(answers: Sequence[Answer]) -> None:
        for one in answers:
            best = one.ranking[0][0] if one.ranking else ""
            sure = f"{one.confidence:.6f}" if one.ranking else ""
            chances = dict(one.ranking)
            shown = [chances.get(name) for name in classes]
            texts = [one.path, one.verdict(threshold), best, sure, one.error]
            writer.writerow(
                [harmless(text) for text in texts]
                + ["" if chance is None else f"{chance:.6f}" for chance in shown]
            )

    try:
        yield add
    finally:
        text.detach()  # which writes the rest, and leaves the file open


def harmless(text: str) -> str:
    """The text, with an apostrophe before it if a spreadsheet would reckon with it."""
    is_formula = text.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def to_records(
    answers: Sequence[Answer], top: int | None = None
) -> list[dict[str, Any]]:
    """Plain data for JSON: `path`, and `predictions` or `error`.

    Args:
        answers: Of each picture.
        top: Number of classes of each; all if not given.
    """
    return [
        {"path": one.path, "error": one.error}
        if one.error
        else {
            "path": one.path,
            "predictions": [
                {"class_name": name, "probability": probability}
                for name, probability in one.ranking[:top]
            ],
        }
        for one in answers
    ]


def of_recording(path: str, heard: Heard) -> dict[str, Any]:
    """Plain data for JSON: as `to_records`, and the `segments` of the recording."""
    (record,) = to_records([Answer(path=path, ranking=heard.ranking)])
    return record | {
        "segments": [
            {
                "start": round(one.start, 3),
                "end": round(one.end, 3),
                "class_name": heard.class_names[one.label],
                "probability": one.probability,
            }
            for one in heard.segments
        ]
    }


def segments_to_csv(records: Iterable[dict[str, Any]]) -> bytes:
    """A table with one line for each segment of each recording.

    Args:
        records: As `of_recording` gives them, or with an `error`, which has a line too.
    """
    columns = ("start", "end", "class_name", "probability")
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["file", "start", "end", "class", "probability", "error"])
    for record in records:
        name = harmless(record["path"])
        for one in record.get("segments", ()):
            values = [harmless(str(one[column])) for column in columns]
            writer.writerow([name, *values, ""])
        if "error" in record:
            writer.writerow([name, "", "", "", "", harmless(record["error"])])
    return buffer.getvalue().encode("utf-8-sig", "replace")


def to_json(answers: Sequence[Answer], threshold: float = 0.0) -> bytes:
    """As `to_records`, with the `answer` at this threshold beside each picture."""
    records = [
        {**record, **({} if one.error else {"answer": one.verdict(threshold)})}
        for one, record in zip(answers, to_records(answers), strict=True)
    ]
    return json.dumps(records, indent=2, ensure_ascii=False).encode(errors="replace")
