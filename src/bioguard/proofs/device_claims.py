"""The attestation claims of a bioguard device, built alike where they are signed and where the token is assembled."""

import hashlib
from collections.abc import Sequence

from bioguard import __version__
from bioguard.proofs.psa_token import Claims, Lifecycle, SoftwareComponent

IMPLEMENTATION_ID = hashlib.sha256(b"bioguard simulated device " + __version__.encode()).digest()
SIMULATOR_SIGNER = hashlib.sha256(b"bioguard: nobody signed this code, it is a simulator").digest()
"""RFC 9783 wants the hash of the key that signed each component. Nothing is signed here, and the value says so."""


def device_claims(
    *,
    nonce: bytes,
    attestation_key: bytes,
    boot_seed: bytes,
    verdict: str,
    filter_hash: bytes,
    components: Sequence[tuple[str, bytes]],
    clock: str,
    randomness: str,
    log_size: int,
    log_root: bytes,
) -> Claims:
    """Claims over the sandbox verdict, the filter, the measured applications and the log.

    Args:
        verdict: words, for instance "ENFORCED+".
        components: name and SHA-256 of each trusted application.
        clock, randomness: words of what was sealed when the device was made, for instance "host" and "SEEDED".

    Raises:
        ProofInvalid: a value has the wrong length.
    """

    def component(kind: str, measurement: bytes, version: str) -> SoftwareComponent:
        return SoftwareComponent(kind, measurement, version, SIMULATOR_SIGNER)

    settings = f"clock {clock}, randomness {randomness}"
    return Claims(
        nonce=nonce,
        instance_id=b"\x01" + hashlib.sha256(attestation_key).digest(),
        implementation_id=IMPLEMENTATION_ID,
        boot_seed=boot_seed,
        lifecycle=Lifecycle.RECOVERABLE_PSA_ROT_DEBUG,
        components=(
            component("PRoT_CONFIG", filter_hash, f"sandbox {verdict}"),
            *(component("ARoT", digest, f"{name} {__version__}") for name, digest in components),
            component("PRoT_SETTINGS", hashlib.sha256(settings.encode()).digest(), settings),
            component("TS", log_root, f"log size {log_size}"),
        ),
    )
