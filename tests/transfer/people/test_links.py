"""Tokens: what was signed here comes back, and nothing else does."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from transfer.errors import UploadError
from transfer.people import links


def test_verify__gives_back_what_was_signed(workspace: Path) -> None:
    assert links.verify("upload", links.sign("upload", "ab12")) == "ab12"


def test_verify__refuses_a_token_for_something_else(workspace: Path) -> None:
    with pytest.raises(UploadError, match="not valid or has expired"):
        links.verify("upload", links.sign("image", "ab12"))


@pytest.mark.parametrize("token", ["", "ab12", "ab12.9999999999", "ab12.1.zz", "é.1.0"])
def test_verify__refuses_what_is_no_token(workspace: Path, token: str) -> None:
    with pytest.raises(UploadError, match="not valid"):
        links.verify("upload", token)


def test_verify__refuses_another_value_under_the_same_signature(
    workspace: Path,
) -> None:
    signed = links.sign("upload", "ab12").split(".")
    with pytest.raises(UploadError):
        links.verify("upload", ".".join(["cd34", *signed[1:]]))


def test_verify__refuses_a_later_end_under_the_same_signature(workspace: Path) -> None:
    value, _, signature = links.sign("upload", "ab12").split(".")
    with pytest.raises(UploadError):
        links.verify("upload", f"{value}.99999999999.{signature}")


def test_verify__refuses_a_token_after_its_end(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = links.sign("upload", "ab12", lifetime=60)
    end = int(token.split(".")[1])
    monkeypatch.setattr(links.time, "time", lambda: end)
    with pytest.raises(UploadError, match="Reload the page"):
        links.verify("upload", token)


def test_sign__is_the_same_address_within_one_lifetime(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links.time, "time", lambda: 1000 * links.DAY)
    first = links.sign("image", "ab12")
    monkeypatch.setattr(links.time, "time", lambda: 1001 * links.DAY - 1)
    assert links.sign("image", "ab12") == first


def test_sign__keeps_its_secret_from_other_users(workspace: Path) -> None:
    links.sign("upload", "ab12")
    assert stat.S_IMODE((workspace / "secret").stat().st_mode) == 0o600


def test_verify__refuses_a_token_of_another_workspace(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = links.sign("upload", "ab12")
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path / "another"))
    with pytest.raises(UploadError):
        links.verify("upload", token)


def test_sign__first_tokens_of_many_visitors_are_all_good(workspace: Path) -> None:
    names = [f"run{number}" for number in range(32)]
    with ThreadPoolExecutor(32) as pool:
        made = list(pool.map(lambda name: links.sign("live", name), names))
    assert [links.verify("live", one) for one in made] == names


def test_read__tells_for_whom_it_was_signed(workspace: Path) -> None:
    signed = links.sign("live", "ab12", who="0123abcd")
    assert links.read("live", signed) == ("ab12", "0123abcd")
    assert links.read("live", links.sign("live", "ab12")) == ("ab12", "")
    for other in ("4567abcd~", ""):
        with pytest.raises(UploadError):
            links.read("live", signed.replace("0123abcd~", other))


def test_unpack__any_name(workspace: Path) -> None:
    assert links.unpack(links.pack("Gänse & 鳥")) == "Gänse & 鳥"


def test_sign__of_two_keys_made_at_once_the_first_stays(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the file system knows no hard links."""

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    with ThreadPoolExecutor(8) as pool:
        tokens = [*pool.map(lambda _: links.sign("image", "a"), range(16))]
    assert len(set(tokens)) == 1 and links.verify("image", tokens[0]) == "a"
    assert not [*workspace.glob("secret-*")]
