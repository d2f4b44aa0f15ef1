"""Pictures that a run was asked about go to a pile, with its answers as suggestions."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from transfer import workspace
from transfer.errors import ConfigError
from transfer.pile import waiting
from transfer.pile.waiting import Said
from transfer.prediction.answers import Answer, to_records
from transfer.runs import requests
from transfer.runs.requests import Request


def request(
    dataset: str, source: Path, answers: Sequence[Answer], upload: str = ""
) -> Request:
    """These pictures brought to the pile of a dataset, and grouped.

    Args:
        dataset: Its name.
        source: The folder or zip with the pictures; others in it stay away.
        answers: What a run said of those that are brought.
        upload: The upload that is let go once they are there.

    Raises:
        NotFoundError: There is no such dataset.
        StorageError: The workspace cannot be written.
    """
    content = json.dumps(to_records(answers)).encode()
    name = f"answers-{hashlib.sha256(content).hexdigest()[:16]}.json"
    path = waiting.folder_of(dataset) / name
    workspace.write_atomically(path, content)
    return requests.sort(dataset, source, str(path), upload)


def read(path: Path, source: Path) -> dict[str, Said]:
    """What a run said of pictures, by their paths inside the source.

    Args:
        path: What `request` wrote, or the command `predict --json`, which names
            pictures by the folder or zip too.
        source: The folder or zip with the pictures.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        return {
            one["path"].removeprefix(f"{source}/"): Said(
                one["predictions"][0]["class_name"],
                float(one["predictions"][0]["probability"]),
            )
            for one in json.loads(path.read_bytes())
            if one.get("predictions")
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"{path} cannot be read as answers of a run: {error}.",
            "Give a file of what `predict --json` printed.",
        ) from error
