"""Checks the value of a knob: one that it does not have is refused when it is set, and not passed over when it is read.

Each check returns the value as it is kept, or None.
"""

from collections.abc import Callable

from bioguard.commands.biometric import BIOMETRIC_UUID
from bioguard.device.command_names import COMMANDS
from bioguard.errors import InputRefused
from bioguard.simulate.knobs import grammar
from bioguard.simulate.knobs.table import ACQUIRED, MAX_LISTED, MAX_VALUE_CHARS, Form, Knob
from tee_sim.shared.errors import TeeError
from tee_sim.testing.faults import FaultPlan


def refused(knob: Knob, hint: str = "") -> InputRefused:
    """The knob has no such value."""
    hint = hint or f"write {knob.values}"
    return InputRefused(f"cannot use this value for {knob.name}", hint=hint, code="fault.value")


def _flag(_knob: Knob, value: str) -> str | None:
    return {"1": "true", "0": "false", "true": "true", "false": "false"}.get(value)


def _number(knob: Knob, value: str) -> str | None:
    if not (value.isascii() and value.isdecimal() and len(value) <= grammar.MAX_DIGITS):
        return None
    return str(int(value)) if int(value) in knob.numbers else None


def _numbers(knob: Knob, value: str) -> str | None:
    if value == "":
        return value
    found = grammar.int_sequence(value)
    fits = 0 < len(found) <= MAX_LISTED and all(number in knob.numbers for number in found)
    return ",".join(map(str, found)) if fits else None


def _latency(knob: Knob, value: str) -> str | None:
    return _numbers(knob, value) if len(grammar.int_sequence(value)) in (1, 2) else None


def _rate(_knob: Knob, value: str) -> str | None:
    if not (value.isascii() and value.replace(".", "", 1).isdecimal() and 0 <= float(value) <= 1):
        return None
    return f"{float(value):.12f}".rstrip("0").rstrip(".")  # without an exponent, which is not read


def _text(_knob: Knob, value: str) -> str:
    return value


def _location(_knob: Knob, value: str) -> str | None:
    return value if value == "" or grammar.location(value, None) is not None else None


def _enrollment(knob: Knob, value: str) -> str:
    if value == "":
        return value
    script = grammar.next_enrollment(value)
    if not all(code in ACQUIRED for step in script.steps for code in step.codes):
        raise refused(knob, f"codes of a step are {ACQUIRED.words}")
    if len(script.steps) > grammar.MAX_STEPS or any(step.duration_ms > grammar.MAX_WAIT_MS for step in script.steps):
        raise refused(knob, f"at most {grammar.MAX_STEPS} steps of at most {grammar.MAX_WAIT_MS} ms")
    return str(script)


def _plan(knob: Knob, value: str) -> str:
    try:
        plan = FaultPlan.parse(value)
    except TeeError as error:
        hint = "see docs/storage.md for the fault language"
        raise InputRefused(error.message, hint=hint, code="fault.value") from None
    if plan.is_of_native:
        raise refused(knob, "rules of native applications are for a machine; a device has none")
    return " ".join(value.split())


def _command(_knob: Knob, value: str) -> str | None:
    """A word; a number is one of the biometric application, which has most of them."""
    if value == "0":
        return "none"
    if value.isascii() and value.isdecimal() and len(value) <= grammar.MAX_DIGITS:
        meant = (BIOMETRIC_UUID, int(value))
        return next((word for word, command in COMMANDS.items() if command == meant), None)
    return value.lower().replace("_", "-").replace(" ", "-")


_CHECKS: dict[Form, Callable[[Knob, str], str | None]] = {
    Form.FLAG: _flag,
    Form.NUMBER: _number,
    Form.NUMBERS: _numbers,
    Form.LATENCY: _latency,
    Form.RATE: _rate,
    Form.TEXT: _text,
    Form.LOCATION: _location,
    Form.ENROLLMENT: _enrollment,
    Form.PLAN: _plan,
    Form.COMMAND: _command,
}


def checked(knob: Knob, value: str) -> str:
    """The value as it is kept.

    Raises:
        InputRefused: the knob has no such value.
    """
    kept = _CHECKS[knob.form](knob, value.strip()) if value.isascii() else None
    if kept is None or (knob.choices and kept not in knob.choices):
        raise refused(knob)
    # What is kept is sent to clients (fault_set, faults) and read back from the device's file.
    if len(kept) > MAX_VALUE_CHARS or not kept.isprintable():
        raise refused(knob)
    return kept
