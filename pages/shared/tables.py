"""Tables as pages show them: with a download, which somebody opens in a spreadsheet."""

from typing import Any

import pandas as pd
import streamlit as st

from transfer.prediction.answers import harmless


def show(data: Any, **options: Any) -> Any:
    """`st.dataframe`, of whose download a spreadsheet takes no name for a formula."""
    return st.dataframe(_harmless(pd.DataFrame(data)), **options)


def _harmless(table: pd.DataFrame) -> pd.DataFrame:
    # Names of classes stand in headings and in the index as well.
    changed = table.rename(columns=_text, index=_text)
    for name in changed.select_dtypes(["object", "string"]):
        changed[name] = changed[name].map(_text)
    return changed


def _text(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value
