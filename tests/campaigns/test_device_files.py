"""The short form of `python -m tests.campaigns.device_files`, and that it finds a trusting product."""

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from bioguard import private_files
from bioguard.device import facade, json_file
from bioguard.device.names import NAMES_FILE
from bioguard.private_files import TEMPORARY
from tee_sim.normal.private_files import UnsafeFile
from tests.campaigns.device_damage import Damage, placed
from tests.campaigns.device_files import Campaign, EndedError, in_process_devices, play

pytestmark = pytest.mark.usefixtures("fast_pins")


def test_no_damage_is_a_bug_a_hang_or_a_loss(tmp_path: Path) -> None:
    report = play(tmp_path, cases=50, cold=1)
    assert (report.violations, report.cases >= 50) == ([], True)
    assert len({outcome for _, outcome in report.outcomes}) > 2


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    with in_process_devices():
        yield Campaign(tmp_path_factory.mktemp("campaign"))


def test_it_finds_a_parser_that_follows_any_depth(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_files, "parse_json", json.loads)
    with pytest.raises(RecursionError):
        campaign.play([placed(NAMES_FILE, "deep JSON")])


def test_it_finds_a_writer_that_follows_links(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_file(directory: Path, name: str, text: str) -> None:
        (directory / (name + TEMPORARY)).write_text(text, "utf-8")
        os.replace(directory / (name + TEMPORARY), directory / name)  # noqa: PTH105

    monkeypatch.setattr(json_file, "write_file", write_file)
    with pytest.raises(EndedError, match="a file that only a link pointed to was changed"):
        campaign.play([placed(NAMES_FILE + TEMPORARY, "a link to a file")])


def test_it_finds_an_error_that_is_none_of_ours(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facade, "check", lambda _directory: None)
    monkeypatch.setattr(private_files, "file_errors", nullcontext)
    with pytest.raises(UnsafeFile):
        campaign.play([placed(NAMES_FILE, "a FIFO")])


def test_it_finds_a_wrong_answer(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    real = facade.Device.records

    def records(device: facade.Device, name: str | None = None) -> object:
        return [r for r in real(device, name) if name or r.user != "bob"]

    campaign.play([Damage(NAMES_FILE, "nothing", lambda _: None)])
    monkeypatch.setattr(facade.Device, "records", records)
    with pytest.raises(EndedError, match="with its files put back"):
        campaign.play([Damage(NAMES_FILE, "nothing", lambda _: None)])
