"""Check and init of a scenario agree on any tables: 400 of them, about half of which are a device."""

from pathlib import Path

import pytest

from tests.serve.scenario.test_makeable import hold


@pytest.mark.campaign
def test_check_takes_any_tables_if_and_only_if_a_device_is_made_of_them(tmp_path: Path) -> None:
    accepted = [hold(seed, tmp_path / str(seed)) for seed in range(400)]
    assert accepted.count(True) > 40
