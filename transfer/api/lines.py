"""Lines that ask the server, to be pasted into a shell or a notebook."""

import json
from typing import NamedTuple


class Lines(NamedTuple):
    """How a run is asked.

    Attributes:
        one: A picture, in a shell.
        several: Pictures with heat maps, in a shell.
        python: A picture, in Python without anything that is not part of it.
    """

    one: str
    several: str
    python: str


#: What the shell is told first where people sign in.
TOKEN = "export TRANSFER_TOKEN="  # noqa: S105  the name of it
_PYTHON = """\
import json
{import_os}import urllib.request

with open("picture.jpg", "rb") as file:
    picture = file.read()
request = urllib.request.Request({address}, picture{headers})
with urllib.request.urlopen(request) as answer:
    for one in json.load(answer)["pictures"][0]["classes"]:
        print(f"{{one['probability']:.3f}}  {{one['name']}}")
"""


def of_run(root: str, run: str, with_token: bool) -> Lines:
    """How a run is asked at this server.

    Args:
        root: Address of the server, up to the path that it is served at.
        run: Its id.
        with_token: Whether people sign in here.
    """
    address = f"{root}/api/predict/{run}"
    authorised = ' --header "Authorization: Bearer $TRANSFER_TOKEN"' * with_token
    sent = 'headers={"Authorization": "Bearer " + os.environ["TRANSFER_TOKEN"]}'
    return Lines(
        one=f"curl --data-binary @picture.jpg{authorised} '{address}?top=3'",
        several=f"curl --form pictures=@one.jpg --form pictures=@two.jpg{authorised} "
        f"'{address}?heat_map=true'",
        python=_PYTHON.format(
            address=json.dumps(f"{address}?top=3"),
            headers=f", {sent}" * with_token,
            import_os="import os\n" * with_token,
        ),
    )
