"""`bioguard demo`: the whole flow in a temporary device, on synthetic people or on real samples."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, field
from pathlib import Path

import click

from bioguard.capture.installed import version_of
from bioguard.cli.collection import Sample, Subject, find_faces, find_fingers
from bioguard.cli.demo_sensor import take
from bioguard.cli.import_options import import_options
from bioguard.cli.opening import test_notes
from bioguard.cli.output import Output, Result
from bioguard.cli.state import CliState, pass_state
from bioguard.commands.biometric import EraseAuthorization
from bioguard.device import Device, DeviceOptions
from bioguard.device.captures import SensorSample
from bioguard.device.consent import grant_all, signed_log
from bioguard.device.pins import check_token, enrollment_token, set_pin, unlock, verify_pin
from bioguard.device.receipts import erasure_receipt
from bioguard.device.sensors import SensorChoice
from bioguard.errors import InputRefused, NotAcquired, NotPermitted
from bioguard.exit_codes import ExitCode
from bioguard.formats import ImportOptions
from bioguard.match.thresholds import extractor_profiles
from bioguard.records import Features
from bioguard.records.modality import Modality
from bioguard.records.tokens import AuthToken
from bioguard.report.png import write_png
from bioguard.simulate.people import FingerPictures, face_views, finger_impressions
from tee_sim.shared.dataclass import dataclass

ENROLLED_SAMPLES = 3
NEEDED = ENROLLED_SAMPLES + 1
"""One more than is enrolled, to be tried afterwards."""
MODALITIES = {"finger": Modality.FINGERPRINT, "face": Modality.FACE}
NAMES = ("alice", "bob")
ENGINE, DISTRIBUTION = "nbis", "nbis-py"
SENSOR = SensorChoice(modality=Modality.FINGERPRINT, engine=ENGINE)
RIGHT_INDEX = 2
DPI = 500
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
    """Enrollments of one modality that succeeded, and decisions that were right, of those made."""

    enrolled: int = 0
    failures_to_enroll: int = 0
    taken_again: int = 0
    genuine_accepted: int = 0
    genuine: int = 0
    impostors_rejected: int = 0
    impostors: int = 0

    def lines(self, what: str) -> list[str]:
        return [
            f"{what:<12} enrolled {self.enrolled}/{self.enrolled + self.failures_to_enroll}, "
            f"failures to enroll {self.failures_to_enroll}, samples taken again {self.taken_again}",
            f"{'':<12} genuine accepted {self.genuine_accepted}/{self.genuine}, "
            f"impostors rejected {self.impostors_rejected}/{self.impostors}",
        ]

    @property
    def flawless(self) -> bool:
        right = self.genuine_accepted == self.genuine and self.impostors_rejected == self.impostors
        return right and not self.failures_to_enroll


@dataclass(slots=True)
class _Person:
    """Somebody to enroll, and what is left to try afterwards, by modality; without it nothing of that is enrolled.

    pictures: PNG files of touches, for a device with a sensor; their features are then not looked at.
    """

    name: str
    subjects: Mapping[str, Subject]
    pictures: Sequence[bytes] = ()
    probes: dict[str, Sequence[Features | bytes]] = field(default_factory=dict)


@contextmanager
def _temporary_device(options: DeviceOptions, keep: Path | None, sensors: Sequence[str]) -> Iterator[Device]:
    with (
        tempfile.TemporaryDirectory(prefix="bioguard-demo-") as name,
        Device.init(keep or Path(name) / "device", options, sensors=sensors) as device,
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

    With the extra `capture` installed, fingers are pictures that a locked sensor sees. With --data it does what a
    sensor does: a sample that does not fit is named and the next one is taken; who cannot be enrolled is counted.

    \b
    Examples:
      bioguard demo
      bioguard demo --data ../shared/data
    """
    started = time.monotonic()
    out = state.output
    out.step("bioguard demo: a simulated device; nothing here protects real biometrics")
    with_sensor = data is None and _can_see()
    people = _real_people(data, out, options) if data else _synthetic_people(pictures=with_sensor)
    tallies = {what: _Tally() for what in MODALITIES}
    with _temporary_device(
        state.options, keep, [f"{Modality.FINGERPRINT.word}={ENGINE}"] if with_sensor else []
    ) as device:
        facts = device.running.status()
        out.step(f"device   provisioned in {device.directory if keep else 'a temporary directory'}")
        out.step(f"sandbox  {facts['sandbox_level']}: {', '.join(map(str, device.running.verdict.layers))}")
        for unusual in test_notes(device.running.ready):
            out.note(unusual)
        for sensor in device.sensors:
            out.step(f"sensor   {sensor.modality.word} {sensor.extractor.model}, in a locked process of its own")
        out.step(f"store    sealed, anti-rollback level {facts['anti_rollback_level']}")
        _enroll(device, people, tallies, out, verbose=data is None)
        people = [p for p in people if p.probes]
        if not people:
            raise InputRefused("nobody could be enrolled", hint="the reasons stand above", code="demo.nobody")
        _attempts(device, people, tallies, out, verbose=data is None)
        records = sum(1 for _ in device.records())
        _show_token(device, people[0], out)
        faces = [p for p in people if p.probes.get("face")]
        identified = sum(_identified(device, person) for person in faces)
        out.step(f"search   1:N by face: {identified}/{len(faces)} people found among {records} records")
        erased = next(device.records(people[0].name))
        authorization = EraseAuthorization(token=verify_pin(device, people[0].name, DEMO_PIN))
        receipt = erasure_receipt(device, [device.erase(people[0].name, erased.record_id, authorization)])
        out.step(f"erase    record {erased.record_id[:8]}... of {people[0].name}, digest {erased.digest[:16]}...")
        head = receipt.verify()
        out.step(f"receipt  it is in the log, and not among the {head.size - 2} record(s) left; proofs of both verify")
        log = signed_log(device)
        out.step(f"log      {len(log.items)} entries under a signed checkpoint; none holds a feature or a score")
    seconds = time.monotonic() - started
    right = all(t.flawless if data is None else t.genuine_accepted and t.impostors_rejected for t in tallies.values())
    return Result(
        outcome="done" if right else "wrong_decisions",
        data={
            "people": len(people),
            "records": records,
            "sandbox_level": facts["sandbox_level"],
            "decisions": {what: asdict(tally) for what, tally in tallies.items()},
            "identified": identified,
            "seconds": round(seconds, 3),
        },
        lines=["", *(line for what, t in tallies.items() for line in t.lines(what)), f"done in {seconds:.1f} s"],
        exit_code=ExitCode.OK if right else ExitCode.NO,
    )


def _can_see() -> bool:
    """Whether fingers can be pictures: the engine is installed, and thresholds for what it finds are known."""
    if SENSOR.missing():
        return False
    model = f"{ENGINE} {version_of(ENGINE, DISTRIBUTION)}+"
    return any(profile.model.startswith(model) for profile in extractor_profiles())


def _identified(device: Device, person: _Person) -> bool:
    """Whether a search finds the person; a miss counts, and is cleared by the PIN before it locks the sensor."""
    found = device.identify(_seen(device, person.probes["face"][0])).user == person.name
    if not found:
        unlock(device, person.name, DEMO_PIN)
    return found


def _show_token(device: Device, person: _Person, out: Output) -> None:
    probe = next(probes[0] for probes in person.probes.values() if probes)
    answer = device.authenticate(person.name, _seen(device, probe), operation_id=OPERATION_ID)
    if answer.token is None:
        return
    token = AuthToken.from_bytes(answer.token)
    check_token(device, answer.token)
    out.step(
        f"token    {len(answer.token)} bytes for operation {token.challenge:#x}, authenticator type "
        f"{token.authenticator_type}; its MAC verifies"
    )


def _synthetic_people(seed: int = 1, *, pictures: bool) -> list[_Person]:
    grown = FingerPictures(seed)
    return [
        _Person(
            name,
            {
                "finger": _captured(finger_impressions(seed, person=person, count=NEEDED)),
                "face": _captured(face_views(seed, person=person, count=NEEDED)),
            },
            [write_png(grown.picture(person, RIGHT_INDEX, i), DPI) for i in range(NEEDED)] if pictures else (),
        )
        for person, name in enumerate(NAMES)
    ]


def _captured(samples: Sequence[Features]) -> Subject:
    return Subject("synthetic", [Sample(f"sample {i}", features) for i, features in enumerate(samples, 1)])


def _real_people(root: Path, out: Output, options: ImportOptions) -> list[_Person]:
    fingers = find_fingers(root, people=PEOPLE, impressions=NEEDED, options=options)
    faces = find_faces(root, people=PEOPLE, views=NEEDED)
    count = min(len(fingers), len(faces))
    if count < 2:
        raise InputRefused(
            f"{root} has {len(fingers)} fingers and {len(faces)} faces with at least {NEEDED} samples",
            hint="two of each are needed: <finger>_<impression>.iso files, and an .npz with embeddings and labels",
            code="demo.data",
        )
    _note_warnings(fingers[:count], out)
    out.step(f"data     {count} people from {root}: each one finger and one face, {ENROLLED_SAMPLES} samples enrolled")
    rows = zip(fingers, faces, strict=False)
    return [_Person(f"person-{i + 1:02d}", {"finger": f, "face": v}) for i, (f, v) in enumerate(rows)]


def _note_warnings(fingers: Sequence[Subject], out: Output) -> None:
    """What the reader warned of, once a code: a set of one writer has the same in every file."""
    first: dict[str, tuple[str, str]] = {}
    counts: Counter[str] = Counter()
    for sample in (sample for finger in fingers for sample in finger.samples):
        for code, warning in {w.code: w for w in sample.warnings}.items():
            first.setdefault(code, (sample.name, warning.message))
            counts[code] += 1
    for code, (name, message) in sorted(first.items()):
        files = "1 file" if counts[code] == 1 else f"{counts[code]} files"
        out.note(f"{files}, first {name}: {message} [{code}]")


def _enroll(
    device: Device, people: Sequence[_Person], tallies: Mapping[str, _Tally], out: Output, *, verbose: bool
) -> None:
    with out.progress(people, "enrolling", len(people)) as bar:
        for person in bar:
            device.add_user(person.name)
            set_pin(device, person.name, DEMO_PIN)
            grant_all(device, person.name, of_age=True)
            if verbose:
                out.step(f"user     {person.name}: PIN set, consent to unlock and identify granted")
            for what in person.subjects:
                _enroll_one(device, person, what, tallies[what], out, verbose=verbose)
    if not verbose:
        done = ", ".join(f"{tally.enrolled} {what}s" for what, tally in tallies.items())
        out.step(f"enroll   {done} of {len(people)} people")


def _enroll_one(device: Device, person: _Person, what: str, tally: _Tally, out: Output, *, verbose: bool) -> None:
    """Capture and enroll one finger or face, or count the failure to."""
    modality = MODALITIES[what]
    where = f"{person.name} {what} ({person.subjects[what].label})"
    try:
        samples, probes = _samples(device, person, what, tally, lambda line: out.step(f"capture  {where}: {line}"))
        token = enrollment_token(device, person.name, modality, DEMO_PIN)
        finger = "right-index" if modality is Modality.FINGERPRINT else None
        new = device.enroll(person.name, samples, finger=finger, token=token)
    except (InputRefused, NotAcquired, NotPermitted) as error:
        tally.failures_to_enroll += 1
        out.step(f"enroll   {where}: FAILURE TO ENROLL, {error.message}")
        return
    tally.enrolled += 1
    person.probes[what] = probes
    if verbose:
        out.step(f"enroll   {person.name} {what}: {new.views} samples, digest {new.digest[:16]}...")


def _samples(
    device: Device, person: _Person, what: str, tally: _Tally, report: Callable[[str], None]
) -> tuple[list[Features | SensorSample], Sequence[Features | bytes]]:
    """What to enroll, and what is left to try.

    Raises:
        InputRefused: too few samples fit together.
        NotAcquired: the sensor made no sample of a picture.
    """
    if what == "finger" and person.pictures:
        first, rest = person.pictures[:ENROLLED_SAMPLES], person.pictures[ENROLLED_SAMPLES:]
        return [_seen(device, picture) for picture in first], rest
    subject = person.subjects[what]
    taken = take(subject.samples, ENROLLED_SAMPLES, lambda name, fault: report(f"{name} {fault}: not taken"))
    tally.taken_again += len(taken.passed_over)
    if len(taken.chosen) < ENROLLED_SAMPLES:
        raise InputRefused(
            f"of {len(subject.samples)} samples no {ENROLLED_SAMPLES} fit together",
            hint="give more samples of one finger or face",
        )
    return [s.features for s in taken.chosen if s.features is not None], taken.probes


def _seen(device: Device, probe: Features | bytes) -> Features | SensorSample:
    """Features as they are; a picture is shown to the sensor, each time anew: a capture is good for one use."""
    return device.capture(Modality.FINGERPRINT, probe) if isinstance(probe, bytes) else probe


def _others(people: Sequence[_Person], person: _Person, what: str) -> list[_Person]:
    """The next people in the circle who have something to try: fewer than the failures that lock the sensor."""
    at = people.index(person)
    circle = [*people[at + 1 :], *people[:at]]
    return [other for other in circle if other.probes.get(what)][:IMPOSTORS]


def _attempts(
    device: Device, people: Sequence[_Person], tallies: Mapping[str, _Tally], out: Output, *, verbose: bool
) -> None:
    with out.progress(people, "matching", len(people)) as bar:
        for person in bar:
            for what, probes in person.probes.items():
                tally = tallies[what]
                for probe in probes[:PROBES]:
                    match = device.authenticate(person.name, _seen(device, probe)).match
                    tally.genuine += 1
                    tally.genuine_accepted += match
                    if verbose:
                        out.step(f"match    {person.name} by {what}: {'accepted' if match else 'REJECTED'} (genuine)")
                unlock(device, person.name, DEMO_PIN)
                for other in _others(people, person, what):
                    match = device.authenticate(person.name, _seen(device, other.probes[what][0])).match
                    tally.impostors += 1
                    tally.impostors_rejected += not match
                    if verbose:
                        out.step(
                            f"match    {other.name} as {person.name} by {what}: "
                            f"{'ACCEPTED' if match else 'rejected'} (impostor)"
                        )
