"""BG-SBX-005: what each request of the product let out, as the core counted it, against its manifests' budgets."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stderr, suppress
from dataclasses import replace
from io import StringIO

from bioguard.commands.biometric import AUTHENTICATE, BIOMETRIC_UUID, IDENTIFY
from bioguard.commands.configuration import SHOW_CONFIGURATION
from bioguard.device.applications import manifests
from bioguard.errors import BioguardError
from bioguard.evidence.policy_clauses import CLAUSES
from bioguard.evidence.temporary_device import TemporaryDevice
from bioguard.report import Check, Status
from tee_sim.normal.rpmb_chip.chip import RpmbDevice
from tee_sim.normal.supplicant.service import Service
from tee_sim.shared.errors import TeeError, TeeResult
from tee_sim.shared.host_end import HostEnd
from tee_sim.shared.manifest import CommandBudget, Manifest
from tee_sim.shared.params import NO_PARAMS
from tee_sim.shared.wire import HEAD_BYTES, CloseSession, Invoke, Message, OpenSession, Return, unpack
from tee_sim.testing.in_memory import MemoryBlobs, MemoryMedium
from tee_sim.testing.in_process import InProcessTee

BUDGETS_CHECK = "BG-SBX-005"
TITLE = (
    "Every request of a trusted application stays within the bits that its manifest allows, and one above it ends it"
)
DECISION_BITS = 64
"""What a decision may tell at most: docs/sandbox.md section 6."""
DECISIONS = (AUTHENTICATE.number, IDENTIFY.number)
_DECIDED = tuple((BIOMETRIC_UUID.bytes, number) for number in DECISIONS)

Dearest = dict[tuple[bytes, int | None], int]
"""The most bits of one request, by application and command; None for sessions opened and closed."""


def _messages(frames: Iterable[tuple[str, bytes]]) -> Iterator[Message]:
    for way, frame in frames:
        with suppress(TeeError):  # a reply of the disk may be of any form
            yield unpack(frame[HEAD_BYTES:] if way == "to-secure" else frame)


def _answers(frames: Iterable[tuple[str, bytes]]) -> Iterator[tuple[tuple[bytes, int | None], Return]]:
    """What passed the pipes, request by request: application and command, and the answer."""
    sessions: dict[int, bytes] = {}
    asked: OpenSession | Invoke | CloseSession | None = None
    for message in _messages(frames):
        if isinstance(message, OpenSession | Invoke | CloseSession):
            asked = message
        elif isinstance(message, Return) and asked is not None:
            if isinstance(asked, OpenSession):
                sessions[message.session] = asked.uuid
                yield (asked.uuid, None), message
            else:
                number = asked.command if isinstance(asked, Invoke) else None
                yield (sessions.get(asked.session, b""), number), message
            asked = None


def dearest(frames: Iterable[tuple[str, bytes]]) -> Dearest:
    """The most bits of each kind of request."""
    found: Dearest = {}
    for key, answer in _answers(frames):
        found[key] = max(found.get(key, 0), answer.bits)
    return found


def unanswered(frames: Iterable[tuple[str, bytes]]) -> list[str]:
    """Requests that ended an application, and decisions that came to anything but an answer: a result is a word too.

    A refusal of the product is an answer, and the disk of the device that is audited is whole.
    """
    return [
        f"command {number} ended in {answer.result.name}{f' ({answer.host_end.name})' if answer.host_end else ''}"
        for (uuid, number), answer in _answers(frames)
        if answer.result is TeeResult.TARGET_DEAD or ((uuid, number) in _DECIDED and answer.result != TeeResult.SUCCESS)
    ]


def over(found: Dearest, ours: Sequence[Manifest]) -> list[str]:
    """What is above its budget, or has none."""
    wrong = [f"{manifest.name} has no budget" for manifest in ours if manifest.budget_bits is None]
    for manifest in ours:
        for (uuid, command), bits in found.items():
            limit = manifest.limit_bits(command, start=command is None)
            if uuid == manifest.uuid and bits > limit:
                wrong.append(f"{_named(manifest, command)}: {bits} bits of {limit:.0f}")
        if manifest.ta_uuid == BIOMETRIC_UUID:
            wide = [number for number in DECISIONS if manifest.limit_bits(number) > DECISION_BITS]
            wrong += [f"{_named(manifest, number)} may tell more than {DECISION_BITS} bits" for number in wide]
    return wrong


def _named(manifest: Manifest, command: int | None) -> str:
    return f"{manifest.name} command {command}" if command is not None else f"{manifest.name} session"


def _others(manifest: Manifest) -> list[CommandBudget]:
    return [budget for budget in manifest.budgets if budget.command != SHOW_CONFIGURATION.number]


def enforced() -> bool:
    """Whether a request above its budget is withheld: the same applications in one process, one bit for a question."""
    ours = tuple(
        replace(m, budgets=(*_others(m), CommandBudget(command=SHOW_CONFIGURATION.number, bits=1)))
        if m.ta_uuid == BIOMETRIC_UUID
        else m
        for m in manifests()
    )
    tee = InProcessTee(ours, Service(MemoryBlobs(), RpmbDevice(MemoryMedium())))
    opened = tee.exchange(OpenSession(uuid=BIOMETRIC_UUID.bytes, params=NO_PARAMS))
    command = SHOW_CONFIGURATION.number
    with redirect_stderr(StringIO()):  # a world of one process says there how an instance ended
        answer = tee.exchange(Invoke(session=opened.session, command=command, params=NO_PARAMS))
    withheld = (answer.result, answer.host_end) == (TeeResult.TARGET_DEAD, HostEnd.BUDGET)
    return opened.result is TeeResult.SUCCESS and withheld and not answer.params


def budget_check(temporary: TemporaryDevice) -> Check:
    """Decide and search once more, then look at everything that passed the pipes in this audit.

    After another start, since what the core still holds of the life before is not asked for.
    """
    ours = manifests()
    try:
        person = temporary.person(pin=True, enrolled=True)
        temporary.restart()
        temporary.device.authenticate(person.name, person.sample(), operation_id=7)
        temporary.device.identify(person.sample())
        failed = ""
    except BioguardError as error:
        failed = f"{error.code}: {error.message}"
    found = dearest(temporary.frames)
    wrong = [*over(found, ours), *dict.fromkeys(unanswered(temporary.frames))]
    if not enforced():
        wrong.append("a request above its budget was answered")
    unseen = [number for number in DECISIONS if (BIOMETRIC_UUID.bytes, number) not in found]
    names = {manifest.uuid: manifest for manifest in ours}
    details = [
        f"{_named(names[uuid], command)}: at most {bits} bits of {names[uuid].limit_bits(command):.0f}"
        for (uuid, command), bits in sorted(found.items(), key=lambda row: (row[0][0], row[0][1] or 0))
        if uuid in names
    ]
    status = Status.FAIL if wrong else Status.UNKNOWN if failed or unseen else Status.PASS
    decisions = ", ".join(str(found[(BIOMETRIC_UUID.bytes, n)]) for n in DECISIONS if n not in unseen)
    summary = (
        "; ".join(wrong) or failed or f"{len(details)} kinds of requests; decisions at most {decisions} bits of 64"
    )
    return Check(
        id=BUDGETS_CHECK,
        title=TITLE,
        status=status,
        summary=summary,
        details=tuple(details),
        limits="memory size and processor time are not counted: docs/sandbox.md section 6 has their measured capacity",
        clauses=tuple(c.id for c in CLAUSES if BUDGETS_CHECK in c.checks),
        reference="docs/formats/budget.md",
    )
