"""Measured speeds are of one kind of machine, whoever shares its workspace."""

from pathlib import Path

import pytest

from transfer import workspace as places
from transfer.features import speeds


def test_kept_rates__are_those_of_this_kind_of_machine(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = speeds.rates_record("net", (16, 16))
    places.write_atomically(record, b'{"keras": 3.0}')
    assert speeds.kept_rates("net", (16, 16)) == {"keras": 3.0}
    monkeypatch.setattr(speeds, "_kind", lambda: "with a GPU")
    assert not speeds.kept_rates("net", (16, 16))
