"""Answers as a table and as records, and the threshold of *I don't know*."""

import csv
import io
import json
from pathlib import Path

import pytest

from transfer.evaluation import results
from transfer.prediction import answers
from transfer.prediction.answers import DONT_KNOW, Answer

SURE = Answer(path="a.jpg", ranking=[("rose", 0.9), ("tulip, wild", 0.1)])
UNSURE = Answer(path="b, c.jpg", ranking=[("tulip, wild", 0.55), ("rose", 0.45)])
BROKEN = Answer(path="d.jpg", ranking=[], error="It is empty.")


def test_verdict__below_the_threshold_it_does_not_know() -> None:
    assert UNSURE.verdict() == UNSURE.verdict(0.55) == "tulip, wild"
    assert UNSURE.verdict(0.551) == DONT_KNOW
    assert BROKEN.verdict(0.5) == ""


def test_to_csv__one_line_a_picture_with_every_class() -> None:
    table = answers.to_csv([SURE, UNSURE, BROKEN], threshold=0.6)
    first, second, third = csv.DictReader(io.StringIO(table.decode("utf-8-sig")))
    assert (first["file"], first["answer"]) == ("a.jpg", "rose")
    assert float(first["probability of tulip, wild"]) == 0.1
    assert second["file"] == "b, c.jpg"
    assert (second["answer"], second["best_class"]) == (DONT_KNOW, "tulip, wild")
    assert float(second["confidence"]) == 0.55
    assert (third["error"], third["answer"]) == ("It is empty.", "")
    assert third["confidence"] == third["probability of rose"] == ""


def test_to_csv__a_spreadsheet_knows_it_and_reckons_nothing() -> None:
    names = ["=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "＝1", "-0.5", "+1e-3", "a=1"]
    broken = Answer(path="half \ud800", ranking=[], error="=1")
    table = answers.to_csv(
        [*(Answer(path=name, ranking=[(name, 1.0)]) for name in names), broken]
    )
    assert table.startswith(b"\xef\xbb\xbf")
    *rows, last = csv.DictReader(io.StringIO(table.decode("utf-8-sig")))
    harmless = [f"'{name}" for name in names[:6]] + names[6:]
    for column in ("file", "answer", "best_class"):
        assert [row[column] for row in rows] == harmless
    assert (last["file"], last["error"]) == ("half ?", "'=1")


def test_to_json__answers_and_probabilities() -> None:
    first, second, third = json.loads(answers.to_json([SURE, UNSURE, BROKEN], 0.6))
    assert first["answer"] == "rose"
    assert first["predictions"][1] == {"class_name": "tulip, wild", "probability": 0.1}
    assert second["answer"] == DONT_KNOW
    assert third == {"path": "d.jpg", "error": "It is empty."}


@pytest.mark.parametrize(
    ("content", "expected"),
    [('{"threshold": 0.6}', 0.6), ('{"threshold": 7}', 1.0), ("{", 0.0), ("[1]", 0.0)],
)
def test_threshold__as_the_file_says(
    workspace: Path, content: str, expected: float
) -> None:
    path = workspace / "runs" / "abcd1234" / "threshold.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert results.threshold("abcd1234") == expected
    assert results.threshold("none") == 0.0
