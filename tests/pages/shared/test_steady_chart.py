"""Charts that stay in their place."""

import json
from typing import Any

import plotly.graph_objects as go
import pytest
import streamlit as st

from pages.shared import component, steady_chart


def test_show__sends_the_figure_and_tells_of_clicks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: dict[str, Any] = {}
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(component, "load", lambda *_, **__: sent.update)
    monkeypatch.setattr(st, "session_state", {"chart": {}})
    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]), {"height": 300})
    steady_chart.show(figure, "chart", "Two points", lambda *at: told.append(at))
    data = sent["data"]
    assert json.loads(data["figure"])["data"][0]["x"] == [1, 2]
    assert (data["height"], data["alt"], sent["key"]) == (300, "Two points", "chart")
    sent["on_click_change"]()  # a rerun without a click
    st.session_state["chart"] = {"click": {"trace": 0, "point": 1}}
    sent["on_click_change"]()
    assert told == [(0, 1)]
