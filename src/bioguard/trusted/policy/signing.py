"""Sign for the outside with the two keys of this device: Ed25519 for checkpoints, P-256 for attestation.

The Ed25519 key signs under two names, so that neither text can pass for the other: the log's checkpoints, and which
records there are. Derived from the application's own keys at each start; only signatures and public keys leave.

Does not promise: that a public key is a device's. No authority signs it here (docs/limitations.md).
"""

import hashlib
from collections.abc import Iterable, Sequence

from nacl.signing import SigningKey

from bioguard.commands.configuration import Configuration, ProfileSummary
from bioguard.proofs import cose
from bioguard.proofs.checkpoint import Checkpoint
from bioguard.proofs.device_claims import AttestedHosts, AttestedSettings, device_claims
from bioguard.proofs.notes import NoteSigner
from bioguard.proofs.origin import log_origin, records_origin
from bioguard.proofs.psa_token import EatProfile
from bioguard.proofs.records_head import RecordsHead
from bioguard.trusted.policy.audit_log import Head
from tee_sim.shared.ta_api import Platform, TaEnv


class Signing:
    """Signs checkpoints and attestation claims."""

    def __init__(self, env: TaEnv) -> None:
        seed = env.keys.derive("log signing")
        public_key = bytes(SigningKey(seed).verify_key)
        self._log = NoteSigner(log_origin(public_key), seed)
        self._records = NoteSigner(records_origin(public_key), seed)
        self._attestation = cose.private_key(env.keys.derive("attestation signing", size_bytes=48))
        self.boot_seed = env.rng.bytes(32)

    @property
    def log_key(self) -> bytes:
        """Ed25519 public key, 32 bytes."""
        return self._log.key.public_key

    @property
    def attestation_key(self) -> bytes:
        """P-256 public point, 65 bytes."""
        return cose.public_key_bytes(self._attestation)

    def checkpoint(self, head: Head) -> bytes:
        """Signature over the checkpoint of the log as it stands."""
        text = Checkpoint(self._log.name, head.size, head.frontier.root()).text()
        return self._log.sign_bytes(text.encode())

    def records(
        self, digests: Iterable[bytes], *, log_size: int, epoch: int, store_root: bytes
    ) -> tuple[RecordsHead, bytes]:
        """Which records there are, by their salted digests, and the signature over it."""
        head = RecordsHead.of(self._records.name, digests, log_size=log_size, epoch=epoch, store_root=store_root)
        return head, head.sign_bytes(self._records)

    def attest(
        self,
        head: Head,
        *,
        nonce: bytes,
        profile: EatProfile,
        platform: Platform,
        configuration: Configuration,
        profiles: Sequence[ProfileSummary],
    ) -> bytes:
        """Signature over the claims. Raises ProofInvalid for a nonce of another length."""
        settings = AttestedSettings(
            clock=platform.clock.word,
            randomness=platform.randomness.word,
            for_testing=configuration.for_testing,
            uncalibrated=tuple(modality.word for modality in sorted(configuration.uncalibrated)),
        )
        claims = device_claims(
            nonce=nonce,
            attestation_key=self.attestation_key,
            boot_seed=self.boot_seed,
            verdict=platform.verdict,
            filter_hash=platform.filter_sha256,
            components=sorted(platform.measurements),
            files=platform.files,
            hosts=_hosts(platform),
            settings=settings,
            profiles=[summary.attested for summary in profiles],
            log_size=head.size,
            log_root=head.frontier.root(),
            sensors=sorted(platform.sensors),
        )
        return cose.sign(claims.to_payload(profile), self._attestation)


def _hosts(platform: Platform) -> AttestedHosts:
    names = (name for name, _ in platform.measurements)
    processes = sorted(zip(names, platform.processes, strict=False))
    return AttestedHosts(platform.host_filter_sha256, tuple(processes))


def nonce_digest(nonce: bytes) -> bytes:
    """What the log keeps of a nonce: its hash, so that a caller cannot write into the log."""
    return hashlib.sha256(b"bioguard attested nonce\x00" + nonce).digest()
