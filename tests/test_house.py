"""The script that says how the house stands, on houses of a few lines."""

from pathlib import Path

import pytest

from tests.house import House, each_other, table
from tests.wording import is_bare


def build(root: Path, **files: str) -> House:
    """A house of files by the names of their modules, with `__` for a dot."""
    for name, text in {"app": "", **files}.items():
        file = root / f"{name.replace('__', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return House(root)


@pytest.mark.parametrize(
    "name", ["_waited", "ended", "_told", "_ended_by_force", "found_instead"]
)
def test_is_bare__a_participle_that_says_no_more(name: str) -> None:
    assert is_bare(name)


@pytest.mark.parametrize(
    "name",
    ["_seed", "feed", "read", "split", "is_ended", "kept_rates", "__post_init__"],
)
def test_is_bare__things_questions_and_verbs_are_not(name: str) -> None:
    assert not is_bare(name)


def test_bare_names__a_property_may(tmp_path: Path) -> None:
    text = (
        "class A:\n    @property\n    def ended(self): ...\n    def begun(self): ...\n"
    )
    house = build(tmp_path, transfer__runs__queue=text)
    assert house.bare_names == ["transfer/runs/queue.py: begun"]


def test_rooms__folders_and_modules_directly_in_transfer(tmp_path: Path) -> None:
    house = build(
        tmp_path,
        transfer__errors="",
        transfer__runs__queue="from transfer.errors import TransferError",
        transfer__runs__jobs="from transfer.runs import queue",
    )
    assert house.rooms == {"errors": set(), "runs": {"errors"}}


def test_floors__a_circle_counts_as_one(tmp_path: Path) -> None:
    house = build(
        tmp_path,
        transfer__errors="",
        transfer__runs__queue="from transfer import errors, store",
        transfer__store="from transfer.runs import queue",
        transfer__commands__run="import transfer.runs.queue",
    )
    assert house.floors == 3
    assert each_other(house.rooms) == ["runs ↔ store"]


def test_upward__an_import_within_a_function_counts(tmp_path: Path) -> None:
    house = build(
        tmp_path,
        transfer__errors="def f():\n    from transfer.store import runs\n",
        transfer__store__runs="from ..errors import TransferError",
    )
    assert house.upward == ["transfer.errors → transfer.store.runs"]


def test_upward__sideways_counts_in_a_circle_alone(tmp_path: Path) -> None:
    runs = {"transfer__runs__queue": "import transfer.evaluation.results"}
    one_way = build(tmp_path, transfer__evaluation__results="", **runs)
    assert not one_way.upward
    there = {"transfer__evaluation__results": "from transfer.runs import queue"}
    assert len(build(tmp_path, **there, **runs).upward) == 2


def test_inner_pairs__folders_of_one_room(tmp_path: Path) -> None:
    house = build(
        tmp_path,
        transfer__datasets__library="from transfer.datasets.ingest import sources",
        transfer__datasets__ingest__sources="from transfer.datasets import library",
    )
    assert house.inner_pairs == ["transfer.datasets ↔ transfer.datasets.ingest"]


def test_of_one_page__what_its_own_modules_use_serves_it_too(tmp_path: Path) -> None:
    pages = {
        "pages/1_data.py": "import form, shell",
        "pages/2_model.py": "import shell",
    }
    modules = {"form": "import chart", "chart": "", "shell": ""}
    files = {f"pages__shared__{name}": text for name, text in modules.items()}
    files |= {page[:-3].replace("/", "__"): text for page, text in pages.items()}
    within = {
        name: text.replace("import ", "from pages.shared import ")
        for name, text in files.items()
    }
    assert build(tmp_path, **within).of_one_page == {
        "pages/shared/form.py": "pages/data",
        "pages/shared/chart.py": "pages/data",
    }


def test_across_pages__a_page_and_its_folder_belong_together(tmp_path: Path) -> None:
    form = {"pages__data__form": "from pages.shared import shell"}
    pages = {
        "pages__1_data": "from pages.data import form",
        "pages__2_model": "from pages.data import form",
    }
    house = build(tmp_path, **form, **pages, pages__shared__shell="")
    assert house.across_pages == ["pages.2_model → pages.data.form"]


def test_table__counts_and_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["house", "-v"])
    lines = list(table(build(tmp_path, transfer__store="class A:\n" + "    0\n" * 300)))
    assert "    transfer/store.py 301" in lines
    assert "    transfer/store.py: A 301" in lines
