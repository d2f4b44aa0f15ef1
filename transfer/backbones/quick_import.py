"""The import of Keras, of which most commands and jobs wait for seconds."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: What Keras imports too where it is installed, for people who hand it their tables and
#: want its models in the shape of scikit-learn's: a third of the time.
_FOR_OTHERS = ("sklearn", "pandas")


@contextmanager
def quickly() -> Iterator[None]:
    """What is imported in the block comes in half the time; to be used in one thread.

    The garbage collector would look through all of it again and again, a fifth of the
    time, and 0.2 s in each run later on.
    """
    if "keras" in sys.modules:
        yield
        return
    hidden = [name for name in _FOR_OTHERS if name not in sys.modules]
    # An entry of None is Python's own way to say that there is no such module.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        for name in hidden:
            del sys.modules[name]
