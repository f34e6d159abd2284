"""The attestation claims of a bioguard device, built alike where they are signed and where the token is assembled."""

import hashlib
import re
from collections.abc import Sequence
from itertools import product
from typing import Self

from bioguard import __version__
from bioguard.proofs.encoding import ProofInvalid
from bioguard.proofs.psa_token import Claims, Lifecycle, SoftwareComponent
from tee_sim.shared.dataclass import dataclass

IMPLEMENTATION_ID = hashlib.sha256(b"bioguard simulated device " + __version__.encode()).digest()
SIMULATOR_SIGNER = hashlib.sha256(b"bioguard: nobody signed this code, it is a simulator").digest()
"""RFC 9783 wants the hash of the key that signed each component. Nothing is signed here, and the value says so."""
_SETTINGS = "PRoT_SETTINGS"
_HOST, _APPLICATION = "PRoT_HOST", "ARoT"
_PACKAGE, _PACKAGES, _COMPILED = "App", {"tee_sim": "PRoT"}, "ARoT_NATIVE"
"""RFC 9783 section 4.4.1: "App" is a component of the application in the non-secure world; the product's files are both
worlds'. "PRoT" is one of the root of trust: the simulator. For a compiled file it has no name."""
_PROCESSES = re.compile(r"(.{1,32}), processes ([1-9]\d?)")
_FIXED, _FREE = "sealed", "FREE FOR TESTING"
_PROFILE, _SENSOR = "COMPARISON_PROFILE", "SENSOR"
_MODALITIES = ("fingerprint", "face")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedSettings:
    """What was sealed when the device was made, as its token states it.

    Attributes:
        clock: "host" or "stepped".
        randomness: "system" or "SEEDED".
        for_testing: whether callers choose the rates; such a device gives no token of a match.
        uncalibrated: "fingerprint" and "face", whose features may be of any model: decided on at the highest threshold
            of the profiles that are known.
    """

    clock: str
    randomness: str
    for_testing: bool
    uncalibrated: tuple[str, ...] = ()

    def words(self) -> str:
        """The text that is attested."""
        rates = _FREE if self.for_testing else _FIXED
        any_model = f", UNCALIBRATED {' and '.join(self.uncalibrated)}" if self.uncalibrated else ""
        return f"clock {self.clock}, randomness {self.randomness}, rates {rates}{any_model}"

    @classmethod
    def of(cls, claims: Claims) -> Self | None:
        """Read them from a token; None if it states none, as those of version 0.1, whose callers chose all three.

        Raises:
            ProofInvalid: it states them twice, in other words, or beside a hash of others.
        """
        stated = claims.component(_SETTINGS)
        if not stated:
            return None
        for settings in (cls(clock=c, randomness=r, for_testing=t, uncalibrated=u) for c, r, t, u in _POSSIBLE):
            words = settings.words()
            if len(stated) == 1 and (stated[0].version, stated[0].measurement) == (words, _digest(words)):
                return settings
        raise ProofInvalid(
            "attestation token: its settings are not those of a device", hint="ask the device for a new token"
        )


_POSSIBLE = list(
    product(
        ("host", "stepped"), ("system", "SEEDED"), (False, True), ((), *((one,) for one in _MODALITIES), _MODALITIES)
    )
)


def settings_words(claims: Claims) -> str:
    """The settings of a device for people, whichever version made the token. Raises ProofInvalid."""
    settings = AttestedSettings.of(claims)
    return "clock, randomness and rates not stated: callers chose them" if settings is None else settings.words()


def _digest(words: str) -> bytes:
    return hashlib.sha256(words.encode()).digest()


@dataclass(frozen=True, slots=True)
class AttestedHosts:
    """The processes of the trusted applications, as a token states them.

    Attributes:
        filter_hash: SHA-256 of the system call filter that each of them has loaded.
        processes: of each application by name, how many it has, its spares among them; none where all live in one.
    """

    filter_hash: bytes = bytes(32)
    processes: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, claims: Claims) -> Self:
        """Read them from a token. One that states none is of an earlier version, or of a profile that is no lock.

        Raises:
            ProofInvalid: not each attested application has them, once and under one filter.
        """
        stated = claims.component(_HOST)
        found = [_PROCESSES.fullmatch(one.version) for one in stated]
        processes = tuple((match[1], int(match[2])) for match in found if match is not None)
        applications = sorted(one.version.rpartition(" ")[0] for one in claims.component(_APPLICATION))
        if stated and ([name for name, _ in processes] != applications or len({c.measurement for c in stated}) > 1):
            raise ProofInvalid(
                "attestation token: its processes are not those of its applications",
                hint="ask the device for a new token",
            )
        return cls(stated[0].measurement, processes) if stated else cls()

    def words(self) -> str:
        """For people."""
        if not self.processes:
            return "no process of an application stated"
        return f"processes: core, {', '.join(f'{name} {count}' for name, count in self.processes)}"


def attested_files(claims: Claims) -> tuple[tuple[str, bytes], ...]:
    """Name and SHA-256 of what was measured of the product's files, as a token states it; none in earlier ones."""
    packages = (c for kind in (_PACKAGE, *_PACKAGES.values()) for c in claims.component(kind))
    whole = ((c.version.rpartition(" ")[0], c.measurement) for c in packages)
    return (*sorted(whole), *((c.version, c.measurement) for c in claims.component(_COMPILED)))


def attested_profiles(claims: Claims) -> tuple[tuple[str, bytes], ...]:
    """Name, with its modality, and SHA-256 of each comparison profile, as a token states it; none in earlier ones."""
    return tuple((stated.version, stated.measurement) for stated in claims.component(_PROFILE))


def attested_sensors(claims: Claims) -> tuple[tuple[str, bytes], ...]:
    """Name and SHA-256 of each sensor, as a token states it; none of a device that takes features as files."""
    return tuple((stated.version, stated.measurement) for stated in claims.component(_SENSOR))


def device_claims(
    *,
    nonce: bytes,
    attestation_key: bytes,
    boot_seed: bytes,
    verdict: str,
    filter_hash: bytes,
    components: Sequence[tuple[str, bytes]],
    files: Sequence[tuple[str, bytes]],
    hosts: AttestedHosts,
    settings: AttestedSettings,
    profiles: Sequence[tuple[str, bytes]],
    log_size: int,
    log_root: bytes,
    sensors: Sequence[tuple[str, bytes]] = (),
) -> Claims:
    """Claims over the sandbox verdict, the filter, the measured applications and the log.

    Args:
        verdict: words, for instance "ENFORCED+".
        components: name and SHA-256 of each trusted application.
        files: name and SHA-256 of each package that was measured whole, and of each compiled file.
        hosts: their processes, in the same order.
        settings: what was sealed when the device was made.
        profiles: name, with its modality, and SHA-256 of each comparison profile.
        sensors: name and SHA-256 of each sensor: of its manifest, its code, its packages and files.

    Raises:
        ProofInvalid: a value has the wrong length.
    """

    def component(kind: str, measurement: bytes, version: str) -> SoftwareComponent:
        return SoftwareComponent(kind, measurement, version, SIMULATOR_SIGNER)

    def _file(name: str, digest: bytes) -> SoftwareComponent:
        kind = _COMPILED if "/" in name else _PACKAGES.get(name, _PACKAGE)
        return component(kind, digest, name if kind == _COMPILED else f"{name} {__version__}")

    words = settings.words()
    return Claims(
        nonce=nonce,
        instance_id=b"\x01" + hashlib.sha256(attestation_key).digest(),
        implementation_id=IMPLEMENTATION_ID,
        boot_seed=boot_seed,
        lifecycle=Lifecycle.RECOVERABLE_PSA_ROT_DEBUG,
        components=(
            component("PRoT_CONFIG", filter_hash, f"sandbox {verdict}"),
            *(_file(name, digest) for name, digest in files),
            *(component(_APPLICATION, digest, f"{name} {__version__}") for name, digest in components),
            *(component(_HOST, hosts.filter_hash, f"{name}, processes {count}") for name, count in hosts.processes),
            *(component(_SENSOR, digest, name) for name, digest in sensors),
            component(_SETTINGS, _digest(words), words),
            *(component(_PROFILE, digest, name) for name, digest in profiles),
            component("TS", log_root, f"log size {log_size}"),
        ),
    )
