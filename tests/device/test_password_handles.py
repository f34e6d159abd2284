"""What a damaged `pins.json` asks for, done to the letter."""

from pathlib import Path

import pytest

from bioguard.device import Device, pins
from bioguard.device.password_handles import HANDLES_FILE
from bioguard.errors import IntegrityFailure


def test_a_damaged_file_of_pins_is_removed_and_the_pins_are_set_again(directory: Path) -> None:
    with Device.init(directory) as device:
        device.add_user("alice")
        pins.set_pin(device, "alice", b"1234")
        (directory / HANDLES_FILE).write_text("{")
        with pytest.raises(IntegrityFailure, match="damaged") as caught:
            pins.set_pin(device, "alice", b"1234")
        assert "remove it and set the PINs again" in caught.value.hint
        (directory / HANDLES_FILE).unlink()
        pins.set_pin(device, "alice", b"1234")
        assert pins.verify_pin(device, "alice", b"1234")
