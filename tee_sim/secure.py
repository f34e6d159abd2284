"""Putting the secure world together once it holds its root secret. The same in the child process and in tests."""

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tee_sim.boot import CORE_UUID, shared_keys
from tee_sim.clock import Clock, FakeClock, SystemClock
from tee_sim.core import Core
from tee_sim.errors import Origin, TeeError, TeeResult
from tee_sim.keys import KeyLadder
from tee_sim.manifest import Manifest
from tee_sim.rng import OsRng, Rng, SeededRng
from tee_sim.storage import ObjectStore
from tee_sim.supplicant.port import PipeBlobs, PipeRpmb, SupplicantPort
from tee_sim.ta_api import Platform, TaEnv, TrustedApp
from tee_sim.wire import (
    REQUESTS,
    AdvanceClock,
    CloseSession,
    Invoke,
    Message,
    NoFrameError,
    OpenSession,
    Provision,
    Ready,
    RenewKeys,
    Return,
    pack,
    unpack,
)

__all__ = ["SecureWorld"]


class _TaKeys:
    """`tee_sim.ta_api.Keys` of one TA."""

    def __init__(self, ladder: KeyLadder, manifest: Manifest, shared: dict[str, bytes]) -> None:
        self._ladder = ladder
        self._manifest = manifest
        self._shared = shared

    def derive(self, label: str, context: bytes = b"", size_bytes: int = 32) -> bytes:
        extra = label.encode("ascii") + b"\0" + context
        return HKDF(SHA256(), size_bytes, salt=None, info=b"tee_sim ta key v1").derive(
            self._ladder.ta_unique_key(self._manifest.ta_uuid, extra)
        )

    def shared(self, name: str) -> bytes:
        if name not in self._manifest.shared_keys:
            raise TeeError(TeeResult.ACCESS_DENIED, "the manifest does not name this shared key")
        return self._shared[name]


class SecureWorld:
    """Core, store, keys, clock and randomness of one boot.

    Args:
        provision: the message that brings the root secret.
        port: the way to the supplicant.
        manifests: the TAs to host; their code must be importable.
        platform: what this process is and runs; the verdict comes with `provision`.
        on_panic: see `tee_sim.core.Core`.

    Raises:
        TeeError: the store does not open (SECURITY for rollback or a foreign device, CORRUPT_OBJECT for damage).
    """

    def __init__(
        self,
        provision: Provision,
        port: SupplicantPort,
        manifests: tuple[Manifest, ...],
        *,
        platform: Platform = Platform(),  # noqa: B008  # frozen
        on_panic: Callable[[], None] = lambda: None,
    ) -> None:
        self._rng: Rng = OsRng() if provision.seed is None else SeededRng(provision.seed)
        self._clock: Clock = (
            SystemClock() if provision.stepped_wall_ms is None else FakeClock(provision.stepped_wall_ms)
        )
        self._device_id = provision.device_id
        self._platform = replace(platform, verdict=provision.verdict)
        self._ladder = KeyLadder(provision.huk, provision.device_id)
        names = sorted({name for m in manifests for name in m.shared_keys})
        self._store = ObjectStore.open(
            PipeBlobs(port),
            PipeRpmb(port),
            provision.huk,
            provision.device_id,
            self._rng,
            create=provision.create,
        )
        self._shared = shared_keys(names, self._store.namespace(CORE_UUID), provision.boot_id, self._rng)
        self._core = Core(manifests, _load_entry, self._environment, on_panic, self._store)

    def ready(self) -> Ready:
        """What the normal world may know of the opened store."""
        return Ready(
            anti_rollback_level=self._store.anti_rollback_level,
            epoch=self._store.epoch,
        )

    def answer(self, body: bytes) -> bytes:
        """Answer one frame: its body in, a whole frame out. A request that is wrong is refused and changes nothing.

        Raises:
            NoFrameError: this is no request of the protocol: nothing that follows can be trusted.
        """
        try:
            return pack(self.handle(unpack(body, REQUESTS)))
        except NoFrameError:
            raise
        except TeeError as error:
            return pack(Return(result=error.result, origin=Origin.TEE))
        except (MemoryError, RecursionError):
            return pack(Return(result=TeeResult.OUT_OF_MEMORY, origin=Origin.TEE))

    def handle(self, message: Message) -> Return:
        """Answer one request."""
        if isinstance(message, OpenSession | Invoke | CloseSession):
            return self._core.dispatch(message)
        if isinstance(message, AdvanceClock) and isinstance(self._clock, FakeClock):
            self._clock.advance(message.ms)
            return Return(result=TeeResult.SUCCESS, origin=Origin.TEE)
        if isinstance(message, RenewKeys):
            return self._renew_keys()
        return Return(result=TeeResult.BAD_STATE, origin=Origin.TEE)

    def _renew_keys(self) -> Return:
        try:
            for _ in self._store.rekey():
                pass
        except TeeError as error:
            return Return(result=error.result, origin=Origin.TEE)
        return Return(result=TeeResult.SUCCESS, origin=Origin.TEE)

    def _environment(self, manifest: Manifest) -> TaEnv:
        return TaEnv(
            store=self._store.namespace(
                manifest.ta_uuid, max_objects=manifest.max_objects, max_object_bytes=manifest.max_object_bytes
            ),
            keys=_TaKeys(self._ladder, manifest, self._shared),
            clock=self._clock,
            rng=self._rng,
            device_id=self._device_id,
            platform=self._platform,
        )


def _load_entry(manifest: Manifest) -> Callable[[], TrustedApp]:
    module, _, name = manifest.entry.partition(":")
    return cast("Callable[[], TrustedApp]", getattr(importlib.import_module(module), name))
