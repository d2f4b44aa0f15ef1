"""The leaderboard and the class, large enough for the last row of a room."""

import html

import streamlit as st

from pages.shared import class_look, session, words
from transfer.classroom import board
from transfer.classroom.attendance import Attendee
from transfer.classroom.board import Standing
from transfer.classroom.lesson_steps import STEPS

#: Places that are shown.
_PLACES = 10
_STYLE = """<style>
header, [data-testid="stHeader"], .st-key-who { display: none !important; }
[data-testid="stMainBlockContainer"] { padding-top: 1.5rem; }
.big { font-size: clamp(1.1rem, 2.2vw, 2.2rem); line-height: 1.3; display: grid;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
  gap: 1em 2em; }
.big h1 { font-size: clamp(1.6rem, 3.6vw, 3.6rem); margin: 0 0 .3em; padding: 0; }
.big table { width: 100%; border-collapse: collapse; }
.big td { padding: .2em .4em; border: 0; border-bottom: 1px solid #8884; }
.big td { overflow-wrap: anywhere; }
.big .rank { width: 2em; font-weight: 700; padding-left: 0; }
.big .figure { text-align: right; font-weight: 650; white-space: nowrap; }
.big .span { font-size: .6em; font-weight: 400; opacity: .75; display: block; }
.big .counts b { font-size: 1.5em; display: inline-block; min-width: 1.3em; }
.big .counts span { display: block; }
.big .step { margin: .5em 0; }
.big .bar { background: #8883; border-radius: .4em; }
.big .bar div { background: #d9701f; height: .55em; border-radius: .4em; }
</style>"""


def show() -> None:
    """Both; they keep themselves up to date."""
    st.fragment(_show_now, run_every=class_look.LOOK)()


def _show_now() -> None:
    standings = board.standings(session.store())
    content = _board(standings) + _class(class_look.attendees())
    st.html(f'{_STYLE}<div class="big">{content}</div>')


def _board(standings: list[Standing]) -> str:
    if not standings:
        says = "Nobody has handed in a run yet."
        return f"<div><h1>Leaderboard</h1><p>{says}</p></div>"
    rows = "".join(
        f'<tr><td class="rank">{one.rank}</td><td>{html.escape(one.name)}</td>'
        f'<td class="figure">{one.best.value:.1%}'
        f'<span class="span">{words.span(one.best)}</span></td></tr>'
        for one in standings[:_PLACES]
    )
    return f"<div><h1>Leaderboard</h1><table>{rows}</table></div>"


def _class(found: list[Attendee]) -> str:
    models = sum(one.runs for one in found)
    counts = {
        "here now": sum(one.is_here for one in found),
        "models trained" if models != 1 else "model trained": models,
        "at work now": sum(bool(one.does) for one in found),
    }
    told = "".join(f"<span><b>{n:,}</b> {says}</span>" for says, n in counts.items())
    steps = "".join(
        _step(step.title, sum(step.name in one.steps for one in found), len(found))
        for step in STEPS
    )
    return f'<div><h1>The class</h1><div class="counts">{told}</div>{steps}</div>'


def _step(title: str, done: int, of: int) -> str:
    share = 100 * done / of if of else 0
    return (
        f'<div class="step">{html.escape(title)}: {done} of {of}'
        f'<div class="bar"><div style="width:{share:.0f}%"></div></div></div>'
    )
