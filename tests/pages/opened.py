"""A page of the app as Streamlit's AppTest runs it."""

from pathlib import Path

from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from tests.patience import PATIENCE

ROUTER = Path(__file__).parents[2] / "pages" / "shared" / "router.py"


def unopened() -> AppTest:
    """The app in a new browser, before its first run."""
    at = AppTest.from_file(str(ROUTER), default_timeout=PATIENCE)
    # Else it looks through every package that is installed for components, of which
    # there are none: that takes ten times as long as most pages.
    at._bidi_component_manager = BidiComponentManager()
    return at


def opened(page: str, **query: str) -> AppTest:
    """A page after its first run.

    Args:
        page: Its file, for example `2_model.py`.
        query: What the address names; empty values are left out.
    """
    at = unopened()
    for name, value in query.items():
        if value:
            at.query_params[name] = value
    return at.switch_page(f"../{page}").run()
