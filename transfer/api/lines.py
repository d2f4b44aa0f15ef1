"""Lines that ask the server, to be pasted into a shell or a notebook."""

import json
from typing import NamedTuple

from transfer.datasets.revision import Kind


class Lines(NamedTuple):
    """How a run is asked.

    Attributes:
        one: A picture or recording, in a shell.
        several: Some at once, in a shell: pictures with heat maps, recordings with what
            is heard when.
        about: What the second line does.
        python: One, in Python without anything that is not part of it.
    """

    one: str
    several: str
    about: str
    python: str


class _Asked(NamedTuple):
    """What is asked about.

    Attributes:
        name: Of the file, and of the variable that holds it.
        file: Its name with the ending.
        several: Some files in a form, and what is asked of all.
        query: What is asked for besides.
        about: What that is.
    """

    name: str
    file: str
    several: str
    query: str
    about: str


_ASKED: dict[Kind, _Asked] = {
    "images": _Asked(
        name="picture",
        file="picture.jpg",
        several="--form pictures=@one.jpg --form pictures=@two.jpg",
        query="heat_map=true",
        about="Several pictures, with a heat map of each:",
    ),
    "sounds": _Asked(
        name="recording",
        file="recording.wav",
        several="--form recordings=@one.wav --form recordings=@long.mp3",
        query="top=1",
        about="Several recordings; of a long one the answer says what is heard when:",
    ),
}


#: What the shell is told first where people sign in.
TOKEN = "export TRANSFER_TOKEN="  # noqa: S105  the name of it
_PYTHON = """\
import json
{import_os}import urllib.request

with open("{file}", "rb") as file:
    {name} = file.read()
request = urllib.request.Request({address}, {name}{headers})
with urllib.request.urlopen(request) as answer:
    for one in json.load(answer)["pictures"][0]["classes"]:
        print(f"{{one['probability']:.3f}}  {{one['name']}}")
"""


def of_run(root: str, run: str, with_token: bool, kind: Kind = "images") -> Lines:
    """How a run is asked at this server.

    Args:
        root: Address of the server, up to the path that it is served at.
        run: Its id.
        with_token: Whether people sign in here.
        kind: Of what it learnt from.
    """
    asked = _ASKED[kind]
    address = f"{root}/api/predict/{run}"
    authorised = ' --header "Authorization: Bearer $TRANSFER_TOKEN"' * with_token
    sent = 'headers={"Authorization": "Bearer " + os.environ["TRANSFER_TOKEN"]}'
    return Lines(
        one=f"curl --data-binary @{asked.file}{authorised} '{address}?top=3'",
        several=f"curl {asked.several}{authorised} '{address}?{asked.query}'",
        about=asked.about,
        python=_PYTHON.format(
            address=json.dumps(f"{address}?top=3"),
            headers=f", {sent}" * with_token,
            file=asked.file,
            name=asked.name,
            import_os="import os\n" * with_token,
        ),
    )
