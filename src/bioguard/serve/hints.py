"""What a refusal asks of a program that speaks protocol 2: one hint for each code that can come, in its own terms.

Codes and messages are those of the command line. Its hints name commands and options, which a program does not have.
"""

import re
from typing import Final

from bioguard.errors import BioguardError

OWN: Final = ""
"""The hint that comes with the error is for anybody, and may hold a number."""
_ENROLL_ANEW = "erase what is enrolled (method erase, by_operator), then enroll again"
_PIN = "set a PIN (method set_pin)"
_FRESH = "get a fresh token with this user's PIN (method verify_pin); to enroll, with a live challenge of the sensor"
_LOOK = "end the server and look at the device with the command line"
_AGAIN = "ask again: the next request starts the secure world anew; sessions are dead then"
_NEW_DEVICE = "this device does not offer it; another one has to be made"
_SAMPLE = "present another sample"
_CONSENT = (
    "ask the person, then grant it (method consent) with the purpose: UNLOCK, KEY_USE for an operation_id, IDENTIFY"
)

HINTS: Final[dict[str, str]] = {
    # frames
    "serve.malformed": "the conversation ends: send canonical CBOR in the form of the page",
    "serve.method": OWN,
    "serve.request": OWN,
    "serve.name": OWN,
    "serve.sample": OWN,
    "request.argument": "send values within the bounds that the page gives",
    "request": "send other values",
    # users, records
    "user.unknown": "use a name that method users lists, or add it",
    "user.exists": "choose another name, or use the one that exists",
    "user.name": OWN,
    "user.lookalike": "choose a name that looks like no other",
    "user.mixed_scripts": "choose a name in one script",
    "record.unknown": "use an id that method records lists",
    # sensors and sessions
    "sensor.unknown": "use a sensor that hello lists",
    "sensor.kind": "present a sample of the sensor's modality",
    "session.unknown": "use a number that create_session gave in this connection",
    "session.dead": "create a session again, and ask for a new challenge",
    "session.in_use": "close the session that the message names first",
    "session.state": "present: begin an operation that waits for a person; close: wait for the last event, or cancel; "
    "after close: create a session",
    "session.queue_full": "wait for the last event of the operation, or cancel it",
    "session.interface": "use a method of this sensor's interface",
    "session.touches": OWN,
    "session.context": OWN,
    # enrolling
    "enroll.pin_required": _PIN + ", and send its token",
    "enroll.without_pin": _ENROLL_ANEW,
    "enroll.other_pin": _ENROLL_ANEW,
    "enroll.already_enrolled": "remove that enrollment first, or name another position",
    "enroll.duplicate_finger": OWN,
    "enroll.user_full": "remove an enrollment first; hello says how many a sensor takes",
    "enroll.poor_quality": OWN,
    "enroll.inconsistent": "present touches or views of one finger or face only",
    "enroll.dimension": OWN,
    "enroll.not_centered": OWN,
    "enroll.finger": "send a position from 0 to 10, 0 for a face",
    "enroll.modality": "present samples of one modality",
    "enroll.no_sample": "present a sample",
    "enroll.too_many_samples": OWN,
    # comparing
    "match.not_enrolled": "enroll first",
    "match.not_centered": OWN,
    "match.dimension": OWN,
    "match.record_expired": "enroll again",
    "match.not_calibrated": _NEW_DEVICE,
    "match.rate_not_offered": _NEW_DEVICE,
    "sample.other_extractor": "present a sample of the extractor that the enrolled ones are of, or enroll again",
    "sample.sensor_only": "present a picture (form PICTURE): this device takes only what its own sensor sees",
    "sample.unknown_capture": _SAMPLE,
    "sample.not_acquired": _SAMPLE,
    "sample.no_sensor": _NEW_DEVICE,
    "lockout.timed": "wait as lock_status says, or reset it with a token (reset_lockout) or the PIN (unlock)",
    "lockout.permanent": "reset it with a token (reset_lockout) or the PIN (unlock)",
    # consent
    "consent.missing": _CONSENT,
    "consent.expired": _CONSENT,
    "consent.suspended": "show the person the new policy; if they agree, grant it again (method consent)",
    "consent.objected": "only a new grant by the person (method consent) lifts an objection",
    "consent.restricted": "the person had the processing restricted; the operator ends it with the command line",
    "consent.underage": "if the person has the age, grant with of_age true (method consent)",
    # PINs, tokens, keys
    "pin.wrong": OWN,
    "pin.wait": OWN,
    "pin.none": _PIN,
    "pin.length": OWN,
    "pin.reenroll": "set the PIN again (method set_pin)",
    "pin.not_implemented": _NEW_DEVICE,
    "pin.not_owner": "only the operator can help: erase or remove_user with by_operator",
    "token.refused": _FRESH,
    "token.unusable": _FRESH,
    "token.malformed": "send the 69 bytes as they came",
    "token.rejected": "get a new token: this one was changed, or is of another boot or device",
    "key.not_enrolled": OWN,
    "key.unsupported_purpose": OWN,
    "key.incompatible_purpose": OWN,
    "key.invalid_authorization_timeout": "send a timeout_s of at least 1, or null for a token at each operation",
    "key.not_authenticated": "authenticate again: with the operation as operation_id, or before key_begin",
    "key.invalid_operation_handle": "begin it again: an operation is over after its first key_finish",
    "key.verification_failed": OWN,
    "key.too_many_operations": "end one first (key_finish, if need be with an empty token)",
    "key.invalid_key_blob": "use a key_id that key_create gave and nobody deleted",
    "key.invalid_argument": "send other values",
    # log and attestation
    "attest.cached": _LOOK,
    "attest.empty": _LOOK,
    "attest.nonce": OWN,
    "integrity.proof": _LOOK,
    "log.head": _LOOK,
    "log.gap": _LOOK,
    # clock, faults, people
    "clock.range": "send a step from 1 ms that does not go past the year 10000",
    "clock.host": "use a device that was made with a stepped clock; hello says which it is",
    "fault.unknown": "use a knob of docs/android-contract.md section 6",
    "fault.value": OWN,
    "fault.grammar": OWN,
    "fault.capture": OWN,
    "fault.clock": "use a device with a stepped clock, and a step that ends before the year 10000",
    "fault.no_effect": "use a knob that acts on devices (docs/android-contract.md section 6)",
    "fault.not_served": "start the server on a device whose faults it may play",
    "synthetic.person": "send a person and an impression from 0 to 2^32-1",
    "synthetic.finger": "send a position from 0 to 10, and an impression from 0 to 65535",
    "scenario.made": "leave [device], [[input]] and [[event]] out: the device is made, and you ask",
    # the secure world and the device
    "tee.dead": _AGAIN,
    "tee.panic": "ask again: challenges and open key operations of that application are gone",
    "tee.timeout": _AGAIN,
    "tee.communication": _AGAIN,
    "tee.busy": "ask again",
    "tee.time": _LOOK,
    "tee.time_namespace": _LOOK,
    "tee.access_denied": _LOOK,
    "tee.sandbox": _LOOK,
    "tee.sensor": _LOOK,
    "tee.incomplete": _LOOK,
    "store.full": "erase records, or free disk space",
    "store.read_only": "make the device directory writable, then ask again",
    "store.unavailable": "look at the device directory and the disk",
    "store.counter_spent": "the store is for reading and erasing, for good: make a new device",
    "store.too_large": "name the person: 1:1 goes on; or erase records",
    "store.missing": _LOOK,
    "store.version": _LOOK,
    "store.corrupt": _LOOK,
    "store.security": _LOOK,
    "store.mac": _LOOK,
    "store.names_altered": _LOOK,
    "device.over_budget": _LOOK,
    "device.closed": "start the server again",
    "device.not_configured": _NEW_DEVICE,
    "device.no_sensor": _LOOK,
    "device.names_damaged": _LOOK,
    "device.pins_damaged": _LOOK,
    "device.fuse_damaged": _LOOK,
    "device.fuse_mode": _LOOK,
    "device.foreign": _LOOK,
    "device.version": _LOOK,
    "device.missing": _LOOK,
    "device.file_unreadable": _LOOK,
    "device.read_only": "make the device directory writable, then ask again",
    "device.sensors_file": _LOOK,
}
"""By code. Codes of a family (`FAMILIES`) are not here one by one."""

FAMILIES: Final[dict[str, str]] = {
    "format.": "send a file that keeps its format (docs/formats/minutiae.md), or the minutiae as a canonical sample",
    "input.": "send finite numbers, as many as the model makes",
    "picture.": "send a picture file within the bounds that the page gives; one of a finger states its resolution",
    "scenario.": "send a scenario file as docs/formats/scenario.md gives it; the message names the line",
    "capture.": "a scripted fault: the sensor took no usable sample; present again, or clear the fault (fault_clear)",
    "sensor.": "a scripted fault: the sensor reports an error; clear it (fault_clear)",
    "tee.": _AGAIN,
}
"""By the first part of a code, for codes that name a field, an acquired code or a result."""

_COMMAND_LINE = re.compile(r"bioguard |--\w|\bUSER\b|python -m")


def speaks_of_the_command_line(hint: str) -> bool:
    """Whether a hint names what a program does not have."""
    return _COMMAND_LINE.search(hint) is not None


def hint_of(error: BioguardError) -> str:
    """The hint of a refusal, for a program."""
    family = error.code.partition(".")[0] + "."
    hint = HINTS.get(error.code) or ("" if error.code in HINTS else FAMILIES.get(family, ""))
    if hint:
        return hint
    return _LOOK if speaks_of_the_command_line(error.hint) else error.hint
