"""Sessions of a fingerprint and of a face sensor."""

import pytest

from bioguard.records.modality import Modality
from tests.hal.rig import Facts, Rig, rig


@pytest.fixture
def finger() -> Rig:
    return rig()


@pytest.fixture
def face() -> Rig:
    return rig(Facts(Modality.FACE, sensor_id=1))
