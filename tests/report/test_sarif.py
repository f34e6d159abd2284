"""The SARIF report against the whole OASIS schema, and twins of it that must fail."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from bioguard.report import Report, render
from tests.report.sarif_full import validator


@pytest.fixture
def log(report: Report) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(render(report, "sarif"))
    return raw


def test_the_oasis_schema_accepts_the_report(log: dict[str, Any]) -> None:
    validator().validate(log)


def _without_driver_name(log: dict[str, Any]) -> None:
    del log["runs"][0]["tool"]["driver"]["name"]


def _invented_level(log: dict[str, Any]) -> None:
    log["runs"][0]["results"][0]["level"] = "fatal"


def _free_word(log: dict[str, Any]) -> None:
    log["runs"][0]["result"] = []


def _text_where_a_message_is_due(log: dict[str, Any]) -> None:
    log["runs"][0]["results"][0]["message"] = "failed"


@pytest.mark.parametrize(
    "bend", [_without_driver_name, _invented_level, _free_word, _text_where_a_message_is_due], ids=lambda f: f.__name__
)
def test_the_oasis_schema_rejects_a_twin(log: dict[str, Any], bend: Callable[[dict[str, Any]], None]) -> None:
    bend(log)
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(log)
