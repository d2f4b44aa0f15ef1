"""The first call of OpenVINO in a process, made by one thread alone.

At its first inference OpenVINO's Python binding fills tables: a thread holds C++'s lock
of a static variable and asks for Python's own (the GIL). A second one that holds the
GIL and comes to the same table waits for the first, and both wait for ever, with every
other thread of Python: `tests/benchmarks/first_inference.py` shows how often.
"""

import threading
from functools import cache

import numpy as np
import openvino
from openvino import opset13

_lock = threading.Lock()


def make() -> None:
    """Returns once the call was made; to be called before a pool uses OpenVINO."""
    with _lock:
        _make()


@cache
def _make() -> None:
    number = opset13.parameter([1], np.float32)
    model = openvino.Model([opset13.relu(number)], [number], "first")
    request = openvino.Core().compile_model(model, "CPU").create_infer_request()
    request.infer(np.zeros(1, np.float32), share_inputs=True)
    np.array(request.get_output_tensor(0).data)
