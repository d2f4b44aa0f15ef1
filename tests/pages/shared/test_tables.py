"""Tables whose download a spreadsheet reads as it is meant."""

import ast
from pathlib import Path

import pandas as pd
from streamlit.testing.v1 import AppTest

from tests.patience import PATIENCE

PAGES = Path(__file__).resolve().parents[3] / "pages"


def page() -> None:
    import pandas as pd  # noqa: PLC0415  the page is a program of its own

    from pages.shared import tables  # noqa: PLC0415

    table = {
        "class": ["=1+1", "rose", None],
        "images": [-1, 2, 3],
        "f1": [-0.5, 1, None],
    }
    tables.show(table, hide_index=True)
    tables.show(pd.DataFrame({"@run": ["-0.5"]}, index=pd.Index(["-a"])))


def test_show__no_name_begins_a_formula_and_numbers_stay() -> None:
    at = AppTest.from_function(page, default_timeout=PATIENCE).run()
    first, second = (one.value for one in at.dataframe)
    assert list(first["class"][:2]) == ["'=1+1", "rose"]
    assert first["class"].isna()[2]
    assert list(first["images"]) == [-1, 2, 3]
    assert first["f1"].dtype == float
    expected = pd.DataFrame({"'@run": ["-0.5"]}, index=["'-a"])
    assert second.to_dict() == expected.to_dict()


def test_pages__show_every_table_in_this_way() -> None:
    asked = {
        path.name
        for path in PAGES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "dataframe"
    }
    assert asked == {"tables.py"}
