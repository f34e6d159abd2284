"""`bioguard demo`: the whole flow in a temporary device, on synthetic people or on real samples."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from bioguard.cli.collection import find_faces, find_fingers
from bioguard.cli.import_options import import_options
from bioguard.cli.output import Output, Result
from bioguard.cli.state import CliState, pass_state
from bioguard.commands.biometric import Leave, Modality
from bioguard.device import Device, DeviceOptions
from bioguard.device.consent import grant_all, signed_log
from bioguard.device.credentials import check_token, enrollment_token, set_pin, unlock, verify_pin
from bioguard.device.receipts import erasure_receipt
from bioguard.errors import InputRefused
from bioguard.exit_codes import ExitCode
from bioguard.formats import ImportOptions
from bioguard.records import Features
from bioguard.records.tokens import AuthToken
from bioguard.synthetic import face_views, finger_impressions

__all__ = ["demo"]

ENROLLED_SAMPLES = 3
NAMES = ("alice", "bob")
PEOPLE = 20
"""People enrolled from a directory of real samples."""
DEMO_PIN = b"2468"
OPERATION_ID = 0x62696F67
IMPOSTORS = 4
"""Impostor attempts per person and modality; the fifth failure in a row would lock the sensor."""
PROBES = 3
"""Genuine attempts per person and modality."""


@dataclass(slots=True)
class _Tally:
    """Decisions that were right, of those made."""

    genuine_accepted: int = 0
    genuine: int = 0
    impostors_rejected: int = 0
    impostors: int = 0

    def line(self, what: str) -> str:
        return (
            f"{what:<12} genuine accepted {self.genuine_accepted}/{self.genuine}, "
            f"impostors rejected {self.impostors_rejected}/{self.impostors}"
        )

    def as_data(self) -> dict[str, int]:
        return {
            "genuine_accepted": self.genuine_accepted,
            "genuine": self.genuine,
            "impostors_rejected": self.impostors_rejected,
            "impostors": self.impostors,
        }


@dataclass(slots=True)
class _Person:
    """Samples of one person: the first ones are enrolled, the rest are probes."""

    name: str
    samples: dict[str, Sequence[Features]] = field(default_factory=dict)

    def probes(self, what: str) -> Sequence[Features]:
        return self.samples[what][ENROLLED_SAMPLES:]


@contextmanager
def _temporary_device(options: DeviceOptions, keep: Path | None) -> Iterator[Device]:
    with (
        tempfile.TemporaryDirectory(prefix="bioguard-demo-") as name,
        Device.init(keep or Path(name) / "device", options) as device,
    ):
        yield device


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Use real samples below DIR.",
    metavar="DIR",
)
@click.option("--keep", type=click.Path(path_type=Path), help="Leave the device in DIR.", metavar="DIR")
@import_options
@pass_state
def demo(state: CliState, data: Path | None, keep: Path | None, options: ImportOptions) -> Result:
    """Provision a device, enroll people by face and finger, accept genuine attempts, reject impostors.

    \b
    Examples:
      bioguard demo
      bioguard demo --data ../shared/data
    """
    started = time.monotonic()
    out = state.output
    out.step("bioguard demo: a simulated device; nothing here protects real biometrics")
    people = _real_people(data, out, options) if data else _synthetic_people()
    with _temporary_device(state.options, keep) as device:
        facts = device.running.status()
        out.step(f"device   provisioned in {device.directory if keep else 'a temporary directory'}")
        out.step(f"sandbox  {facts['sandbox_level']}: {', '.join(map(str, device.running.verdict.layers))}")
        out.step(f"store    sealed, anti-rollback level {facts['anti_rollback_level']}")
        _enroll(device, people, out, verbose=data is None)
        tallies = _attempts(device, people, out, verbose=data is None)
        records = sum(1 for _ in device.records())
        _show_token(device, people[0], out)
        identified = sum(device.identify(p.probes("face")[0]).user == p.name for p in people)
        out.step(f"search   1:N by face: {identified}/{len(people)} people found among {records} records")
        erased = next(device.records(people[0].name))
        leave = Leave(token=verify_pin(device, people[0].name, DEMO_PIN))
        receipt = erasure_receipt(device, [device.erase(people[0].name, erased.record_id, leave)])
        out.step(f"erase    record {erased.record_id[:8]}... of {people[0].name}, digest {erased.digest[:16]}...")
        head = receipt.verify()
        out.step(f"receipt  it is in the log, and not among the {head.size - 2} record(s) left; proofs of both verify")
        log = signed_log(device)
        out.step(f"log      {len(log.items)} entries under a signed checkpoint; none holds a feature or a score")
    seconds = time.monotonic() - started
    right = all(t.genuine_accepted and t.impostors_rejected for t in tallies.values())
    if data is None:
        right = all(t.genuine_accepted == t.genuine and t.impostors_rejected == t.impostors for t in tallies.values())
    lines = ["", *(tally.line(what) for what, tally in tallies.items()), f"done in {seconds:.1f} s"]
    return Result(
        command="demo",
        outcome="done" if right else "wrong_decisions",
        data={
            "people": len(people),
            "records": records,
            "sandbox_level": facts["sandbox_level"],
            "decisions": {what: tally.as_data() for what, tally in tallies.items()},
            "identified": identified,
            "seconds": round(seconds, 3),
        },
        lines=lines,
        exit_code=ExitCode.OK if right else ExitCode.NO,
    )


def _show_token(device: Device, person: _Person, out: Output) -> None:
    answer = device.authenticate(person.name, person.probes("face")[0], operation_id=OPERATION_ID)
    if answer.token is None:
        return
    token = AuthToken.from_bytes(answer.token)
    check_token(device, answer.token)
    out.step(
        f"token    {len(answer.token)} bytes for operation {token.challenge:#x}, authenticator type "
        f"{token.authenticator_type}; its MAC verifies"
    )


def _synthetic_people(seed: int = 1) -> list[_Person]:
    return [
        _Person(
            name,
            {
                "finger": finger_impressions(seed, person=i, count=ENROLLED_SAMPLES + 1),
                "face": face_views(seed, person=i, count=ENROLLED_SAMPLES + 1),
            },
        )
        for i, name in enumerate(NAMES)
    ]


def _real_people(root: Path, out: Output, options: ImportOptions) -> list[_Person]:
    needed = ENROLLED_SAMPLES + 1
    fingers = find_fingers(root, people=PEOPLE, impressions=needed, options=options)
    faces = find_faces(root, people=PEOPLE, views=needed)
    count = min(len(fingers), len(faces))
    if count < 2:
        raise InputRefused(
            f"{root} has {len(fingers)} fingers and {len(faces)} faces with at least {needed} samples",
            hint="two of each are needed: <finger>_<impression>.iso files, and an .npz with embeddings and labels",
            code="demo.data",
        )
    out.step(f"data     {count} people from {root}: each one finger and one face, {ENROLLED_SAMPLES} samples enrolled")
    rows = zip(fingers, faces, strict=False)
    return [_Person(f"person-{i + 1:02d}", {"finger": f, "face": v}) for i, (f, v) in enumerate(rows)]


def _enroll(device: Device, people: Sequence[_Person], out: Output, *, verbose: bool) -> None:
    with out.progress(people, "enrolling", len(people)) as bar:
        for person in bar:
            device.add_user(person.name)
            set_pin(device, person.name, DEMO_PIN)
            grant_all(device, person.name, of_age=True)
            if verbose:
                out.step(f"user     {person.name}: PIN set, consent to unlock and identify granted")
            for what, samples in person.samples.items():
                finger = "right-index" if what == "finger" else None
                modality = Modality.FINGERPRINT if finger else Modality.FACE
                token = enrollment_token(device, person.name, modality, DEMO_PIN)
                new = device.enroll(person.name, samples[:ENROLLED_SAMPLES], finger=finger, token=token)
                if verbose:
                    out.step(f"enroll   {person.name} {what}: {new.views} samples, digest {new.digest[:16]}...")
    if not verbose:
        out.step(f"enroll   {len(people)} people, a finger and a face each")


def _others(people: Sequence[_Person], person: _Person) -> list[_Person]:
    """The next people in the circle: fewer than the failed attempts that lock the sensor."""
    start = people.index(person) + 1
    return [people[(start + i) % len(people)] for i in range(min(IMPOSTORS, len(people) - 1))]


def _attempts(device: Device, people: Sequence[_Person], out: Output, *, verbose: bool) -> dict[str, _Tally]:
    tallies = {"finger": _Tally(), "face": _Tally()}
    with out.progress(people, "matching", len(people)) as bar:
        for person in bar:
            for what, tally in tallies.items():
                for probe in person.probes(what)[:PROBES]:
                    match = device.authenticate(person.name, probe).match
                    tally.genuine += 1
                    tally.genuine_accepted += match
                    if verbose:
                        out.step(f"match    {person.name} by {what}: {'accepted' if match else 'REJECTED'} (genuine)")
                unlock(device, person.name, DEMO_PIN)
                for other in _others(people, person):
                    match = device.authenticate(person.name, other.probes(what)[0]).match
                    tally.impostors += 1
                    tally.impostors_rejected += not match
                    if verbose:
                        out.step(
                            f"match    {other.name} as {person.name} by {what}: "
                            f"{'ACCEPTED' if match else 'rejected'} (impostor)"
                        )
    return tallies
