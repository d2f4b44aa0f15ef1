"""Labels in the files that people have: tables, JSON, exports of labelling tools."""

import json

import pytest

from transfer.datasets.ingest import label_files
from transfer.datasets.ingest.label_files import Row

TWO = [Row("a.jpg", ("cat",)), Row("b.jpg", ("dog",))]
SPLIT = [Row("a.jpg", ("cat",), "train"), Row("b.jpg", ("dog",), "validation")]

#: As Label Studio 1.x exports tasks with `Choices`, full and minimal.
STUDIO = [
    {
        "id": number,
        "annotations": [
            {
                "id": 1000 + number,
                "completed_by": 1,
                "was_cancelled": False,
                "result": [
                    {
                        "value": {"choices": [label]},
                        "id": "IdMpd0QuCU",
                        "from_name": "choice",
                        "to_name": "image",
                        "type": "choices",
                        "origin": "manual",
                    }
                ],
            }
        ],
        "file_upload": f"2a06d5c7-{name}",
        "data": {"image": f"/data/upload/1/2a06d5c7-{name}"},
        "project": 1,
    }
    for number, (name, label) in enumerate([("a.jpg", "cat"), ("b.jpg", "dog")])
]
STUDIO_ROWS = [
    Row("/data/upload/1/2a06d5c7-a.jpg", ("cat",)),
    Row("/data/upload/1/2a06d5c7-b.jpg", ("dog",)),
]
STUDIO_MIN = [
    {"image": row.file, "id": 1, "choice": row.labels[0], "annotator": 1}
    for row in STUDIO_ROWS
]
#: As CVAT writes "CVAT for images 1.1" of a project with subsets.
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><project><labels><label><name>cat</name></label></labels></project></meta>
  <image id="0" name="a.jpg" subset="train" task_id="1" width="8" height="8">
    <tag label="cat" source="manual">
      <attribute name="mood">calm</attribute>
    </tag>
  </image>
  <image id="1" name="b.jpg" subset="validation" task_id="1" width="8" height="8">
    <tag label="dog" source="manual"></tag>
  </image>
  <image id="2" name="c.jpg" task_id="1" width="8" height="8">
  </image>
</annotations>"""

FILES = {
    "a header": ("labels.csv", "file_name,label\na.jpg,cat\nb.jpg,dog\n", TWO),
    "no header": ("labels.csv", "a.jpg,cat\nb.jpg,dog\n", TWO),
    "semicolons": ("x.csv", "image;class\na.jpg;cat\nb.jpg;dog\n", TWO),
    "tabs": ("x.tsv", "Path\tTarget\na.jpg\tcat\nb.jpg\tdog\n", TWO),
    "a split": (
        "x.csv",
        "id,filename,label,split\n1,a.jpg,cat,train\n2,b.jpg,dog,validation\n",
        SPLIT,
    ),
    "Roboflow": ("_classes.csv", "filename, cat, dog\na.jpg, 1, 0\nb.jpg, 0, 1\n", TWO),
    "Roboflow by now": (
        "_classes.csv",
        "filename,cat,dog\na.jpg,1,0\nb.jpg,0,1\n",
        TWO,
    ),
    "Hugging Face": (
        "metadata.jsonl",
        '{"file_name": "a.jpg", "label": "cat"}\n'
        '{"file_name": "b.jpg", "label": "dog"}\n',
        TWO,
    ),
    "a list": (
        "x.json",
        json.dumps([{"image": row.file, "label": row.labels[0]} for row in TWO]),
        TWO,
    ),
    "a name each": ("x.json", '{"a.jpg": "cat", "b.jpg": "dog"}', TWO),
    "FiftyOne": (
        "labels.json",
        '{"classes": ["cat", "dog"], "labels": {"a.jpg": 0, "b.jpg": 1}}',
        TWO,
    ),
    "Label Studio": ("project-1.json", json.dumps(STUDIO), STUDIO_ROWS),
    "Label Studio, minimal": ("x.json", json.dumps(STUDIO_MIN), STUDIO_ROWS),
    "Label Studio, CSV": (
        "x.csv",
        "annotation_id,annotator,choice,created_at,id,image,lead_time\n"
        + "".join(
            f"1,1,{r.labels[0]},2026-01-01,1,{r.file},2.5\n" for r in STUDIO_ROWS
        ),
        STUDIO_ROWS,
    ),
    "CVAT": ("annotations.xml", CVAT, [*SPLIT, Row("c.jpg", ())]),
}


@pytest.mark.parametrize("name", FILES)
def test_read__what_people_have(name: str) -> None:
    file, text, rows = FILES[name]
    assert label_files.read(file, text.encode()) == rows


def test_read__several_labels_of_one_picture() -> None:
    text = "filename,cat,dog\na.jpg,1,1\nb.jpg,0,0\n"
    found = label_files.read("_classes.csv", text.encode())
    assert found == [Row("a.jpg", ("cat", "dog")), Row("b.jpg", ())]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("x.json", '{"a": [1, {"b": 2}], "c": 3.5'),
        ("x.json", "[" * 100_000),
        ("x.json", '[1, "two", null, {"images": []}]'),
        ("x.xml", "<annotations><image"),
        ("x.xml", '<!DOCTYPE a [<!ENTITY b "bb">]><a><image name="&b;"/></a>'),
        ("x.csv", "\0\0\n\0"),
        ("x.csv", ""),
        ("x.csv", "epoch,loss\n1,0.5\n"),
    ],
)
def test_read__what_is_no_file_of_labels_does_no_harm(file: str, text: str) -> None:
    assert label_files.read(file, text.encode()) == []


def test_read__spells_accents_whatever_the_encoding() -> None:
    text = "file,label\na.jpg,chat rayé\n"
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        (row,) = label_files.read("x.csv", text.encode(encoding))
        assert row.labels == ("chat rayé",)
