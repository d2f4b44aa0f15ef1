"""The README says what is there."""

import re
from pathlib import Path

import pytest

from transfer.__main__ import parser
from transfer.backbones.catalogue import BACKBONES

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = README.split("## Files")[1]


def test_readme__every_file_of_the_map_exists() -> None:
    for name in re.findall(r"^    (\S+)  ", FILES, re.MULTILINE):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"^      (\S+)  ", FILES, re.MULTILINE):
        assert (ROOT / "transfer" / name).exists(), name


def test_readme__the_map_leaves_no_module_out() -> None:
    for path in (ROOT / "transfer").iterdir():
        name = f"{path.name}/" if (path / "__init__.py").exists() else path.name
        if name.endswith((".py", "/")) and name != "__init__.py":
            assert f"      {name} " in FILES, name


@pytest.mark.parametrize(
    "line", re.findall(r"^    python -m transfer (.+)$", README, re.MULTILINE)
)
def test_readme__every_command_is_understood(line: str) -> None:
    assert parser().parse_args(line.split("#")[0].split())


def test_readme__counts_the_backbones_right() -> None:
    assert f"one of {len(BACKBONES)} pretrained backbones" in README


def test_readme__its_picture_is_there() -> None:
    (picture,) = re.findall(r"!\[.*\]\((.+)\)", README)
    assert (ROOT / picture).is_file()
