"""Why an exported file cannot be run, in words of its own."""

import pytest

from transfer.export import parity


@pytest.mark.parametrize(
    "last",
    [
        "I0000 00:00:1795724362.665006   25943 cudart_stub.cc:31] Could not find cuda",
        "2026-11-26 20:12:08.311: I tensorflow/core/util/port.cc:153] oneDNN is on",
        "2026-11-26 20:12:08.311 [E:onnxruntime:, session.cc:1] a log line",
        "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
        "WARNING: All log messages before absl::InitializeLog() go to STDERR",
        "[ WARNING ] something of OpenVINO",
        "",
    ],
)
def test_reason__is_no_log_line_of_a_native_library(last: str) -> None:
    said = f"Traceback\nRuntimeError: no such operation\n{last}\n"
    assert parity._reason(said) == "RuntimeError: no such operation"
    assert parity._reason(last) == "no reason given"
