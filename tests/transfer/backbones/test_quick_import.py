"""Keras comes without what only others need, which can be imported afterwards."""

import subprocess
import sys

from transfer.backbones.quick_import import quickly
from transfer.processes import environment

_IMPORT = """
import gc, sys
from transfer.backbones.quick_import import quickly
with quickly():
    import keras
assert not {"sklearn", "pandas"} & set(sys.modules)
assert gc.isenabled() and gc.get_freeze_count()
import pandas, sklearn
keras.Sequential([keras.layers.Dense(2)])(keras.ops.ones((1, 3)))
"""


def test_quickly__keras_works_and_the_rest_can_be_imported_later() -> None:
    command = [sys.executable, "-c", _IMPORT]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_quickly__hides_nothing_for_good_where_the_import_fails() -> None:
    before = {name: sys.modules.get(name) for name in ("sklearn", "pandas")}
    try:
        with quickly():
            raise ImportError
    except ImportError:
        pass
    after = {name: sys.modules.get(name) for name in before}
    assert after == before
