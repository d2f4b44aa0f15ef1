"""Files of labels beside pictures: tables, JSON, and what labelling tools write.

Known are CSV and TSV with or without a header, one column a class too (Roboflow); JSON
and JSON lines of records, of Label Studio (full or minimal), of a name for each file;
and the XML of CVAT for images.
"""

import csv
import io
import json
import xml.parsers.expat
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from transfer.datasets.kinds import is_named_like_any

#: Bytes of the largest file that is looked at.
MAX_BYTES = 64 << 20

#: What columns are called, in lower case; the first that is there is taken.
_FILES = (
    *("file_name", "filename", "file", "image", "image_path", "filepath", "file_path"),
    *("path", "img", "image_name", "image_id", "file_upload", "id", "name"),
)
_LABELS = (
    *("label", "labels", "class", "class_name", "classname", "category", "choice"),
    *("category_name", "target", "tag", "species", "breed", "diagnosis"),
)
_SPLITS = ("split", "set", "subset", "partition", "ml_use", "usage")


class Row(NamedTuple):
    """What a file says of one picture.

    Attributes:
        file: The picture, as it is named there.
        labels: Its labels; one is wanted.
        split: The split in the file's words; empty if none is given.
    """

    file: str
    labels: tuple[str, ...]
    split: str = ""


def read(name: str, content: bytes) -> list[Row]:
    """The rows of a file; none where it is no file of labels.

    Args:
        name: Of the file, which says by its ending what is in it.
        content: The file.
    """
    ending = name[name.rfind(".") :].lower()
    try:
        if ending == ".xml":
            return _read_cvat(content)
        text = _decode(content)
        if ending == ".json":
            return _read_json(json.loads(text))
        if ending in (".jsonl", ".ndjson"):
            return _records([json.loads(line) for line in text.splitlines() if line])
        return _read_table(text)
    # A file may be anything; what it is not does no harm to the pictures beside it.
    except (ValueError, RecursionError, csv.Error, xml.parsers.expat.ExpatError):
        return []


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _read_table(text: str) -> list[Row]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    lines = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter)]
    lines = [[cell.strip() for cell in line] for line in lines if any(line)]
    if lines and len(lines[0]) == 2 and is_named_like_any(lines[0][0]):
        return [Row(line[0], (line[1],)) for line in lines if len(line) == 2]
    records = [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]
    return _records(records)


def _read_json(data: Any) -> list[Row]:
    if isinstance(data, list):
        return _records(data)
    if not isinstance(data, dict):
        return []
    names, of_files = data.get("classes"), data.get("labels", data)
    if isinstance(names, list) and isinstance(of_files, dict):  # as FiftyOne writes it
        return [
            Row(file, (str(names[number]),))
            for file, number in of_files.items()
            if isinstance(number, int) and 0 <= number < len(names)
        ]
    return [Row(file, _words(label)) for file, label in data.items() if _words(label)]


def _records(records: Iterable[Any]) -> list[Row]:
    found = (_record(one) for one in records if isinstance(one, dict))
    return [row for row in found if row]


def _record(record: Mapping[str, Any]) -> Row | None:
    done = record.get("annotations", record.get("completions"))
    if isinstance(done, list) and isinstance(record.get("data"), dict):
        return _label_studio(record, done)
    columns = {str(key).strip().lower(): value for key, value in record.items()}
    file = next((name for name in _FILES if columns.get(name)), "")
    label = next((name for name in _LABELS if name in columns and name != file), "")
    split = next((name for name in _SPLITS if name in columns), "")
    if not file:
        return None
    rest = {key: value for key, value in record.items() if str(key).lower() != file}
    labels = _words(columns[label]) if label else _of_one_column_each(rest)
    return Row(str(columns[file]), labels, str(columns.get(split) or ""))


def _of_one_column_each(columns: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that say 1, where all say 0 or 1."""
    said = {str(key).strip(): str(value).strip() for key, value in columns.items()}
    if {*said.values()} - {"0", "1", "0.0", "1.0", ""}:
        return ()
    return tuple(key for key, value in said.items() if value[:1] == "1")


def _label_studio(task: Mapping[str, Any], done: list[Any]) -> Row | None:
    data = {key: value for key, value in task["data"].items() if isinstance(value, str)}
    files = [data[name] for name in _FILES if name in data] + [*data.values()]
    results = [
        result
        for one in done
        if isinstance(one, dict) and not one.get("was_cancelled")
        for result in one.get("result") or ()
        if isinstance(result, dict)
    ]
    labels = [
        word
        for result in results
        if isinstance(result.get("value"), dict)
        for word in _words(result["value"].get("choices"))
    ]
    return Row(files[0], tuple(dict.fromkeys(labels))) if files else None


def _words(value: Any) -> tuple[str, ...]:
    """A label, or several, whichever way they are written."""
    if isinstance(value, dict):
        value = value.get("choices") or value.get("label")
    if isinstance(value, list):
        return tuple(str(one).strip() for one in value if isinstance(one, str | int))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ()
    text = str(value).strip()
    return (text,) if text else ()


def _read_cvat(content: bytes) -> list[Row]:
    return [
        Row(image["name"], tuple(labels), image.get("subset", ""))
        for image, labels in _cvat_images(content)
        if "name" in image
    ]


def _cvat_images(content: bytes) -> Iterator[tuple[dict[str, str], list[str]]]:
    """The attributes of each image, and the labels of its tags."""
    found: list[tuple[dict[str, str], list[str]]] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        if element == "image":
            found.append((attributes, []))
        elif element == "tag" and found:
            found[-1][1].append(attributes.get("label", ""))

    def refuse(*_: Any) -> None:
        # Entities of entities can fill any memory, and no such file has any.
        raise ValueError("It declares entities.")

    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    parser.Parse(content, True)
    yield from found
