"""The three sets of properties (sections 4.5 to 4.7), with what is true of this implementation."""

from typing import Final
from uuid import UUID

from tee_sim import __version__
from tee_sim.shared.login import ClientIdentity
from tee_sim.shared.manifest import Manifest
from tee_sim.shared.ta_api import TaEnv
from tee_sim.shared.ta_properties import PropertyKind, TaProperty

PropertySet = tuple[TaProperty, ...]

MAX_BIG_INT_BITS: Final = 4096
"""gpd.tee.arith.maxBigIntSize."""
REE_LEVEL: Final = 100
"""Protection level: what it rests on can be changed by the normal world. Both clocks are its kernel's, and it plays the
RPMB chip."""
CORE_VERSION: Final = 0x01030100
"""gpd.tee.internalCore.version: 1.3.1."""
LITTLE_ENDIAN: Final = 0
KEEPS_CORRUPT: Final = "gpd.ta.doesNotCloseHandleOnCorruptObject"

_K = PropertyKind


def _bool(name: str, value: bool) -> TaProperty:
    return TaProperty(name=name, kind=_K.BOOL, value=bytes([value]))


def _u32(name: str, value: int) -> TaProperty:
    return TaProperty(name=name, kind=_K.U32, value=value.to_bytes(4, "little"))


def _string(name: str, value: str) -> TaProperty:
    return TaProperty(name=name, kind=_K.STRING, value=value.encode())


def _uuid(name: str, value: bytes) -> TaProperty:
    return TaProperty(name=name, kind=_K.UUID, value=value)


def _block(name: str, value: bytes) -> TaProperty:
    return TaProperty(name=name, kind=_K.BINARY_BLOCK, value=value)


def keeps_corrupt(manifest: Manifest) -> bool:
    """Whether the application wants to close its handles on corrupt objects itself: the one property of section 4.5
    that it says among its own."""
    return any(one.name == KEEPS_CORRUPT and one.kind is _K.BOOL and any(one.value) for one in manifest.properties)


def of_the_application(manifest: Manifest) -> PropertySet:
    """TEE_PROPSET_CURRENT_TA. An application cannot redefine what the manifest says of it."""
    standard = (
        _uuid("gpd.ta.appID", manifest.uuid),
        _bool("gpd.ta.singleInstance", "single_instance" in manifest.flags),
        _bool("gpd.ta.multiSession", "multi_session" in manifest.flags),
        _bool("gpd.ta.instanceKeepAlive", "keep_alive" in manifest.flags),
        _u32("gpd.ta.dataSize", min(manifest.heap_bytes, 0xFFFF_FFFF)),
        _u32("gpd.ta.stackSize", manifest.stack_bytes),
        _u32("gpd.ta.endian", LITTLE_ENDIAN),
        _bool(KEEPS_CORRUPT, keeps_corrupt(manifest)),
    )
    names = {one.name for one in standard}
    return (*standard, *(one for one in manifest.properties if one.name not in names))


def of_client(identity: ClientIdentity | None) -> PropertySet:
    """TEE_PROPSET_CURRENT_CLIENT. Without an identity where no client has called."""
    endian = _u32("gpd.client.endian", LITTLE_ENDIAN)
    if identity is None:
        return (endian,)
    value = int(identity.login).to_bytes(4, "little") + identity.uuid
    return (TaProperty(name="gpd.client.identity", kind=_K.IDENTITY, value=value), endian)


def of_the_tee(env: TaEnv) -> PropertySet:
    """TEE_PROPSET_TEE_IMPLEMENTATION."""
    version = __version__.encode()
    return (
        _string("gpd.tee.apiversion", "1.3"),
        _u32("gpd.tee.internalCore.version", CORE_VERSION),
        _string("gpd.tee.description", f"tee_sim {__version__}, a simulator: {env.platform.verdict}"),
        _uuid("gpd.tee.deviceID", UUID(bytes=env.device_id, version=4).bytes),
        _u32("gpd.tee.systemTime.protectionLevel", REE_LEVEL),
        _u32("gpd.tee.TAPersistentTime.protectionLevel", REE_LEVEL),
        _u32("gpd.tee.trustedStorage.antiRollback.protectionLevel", REE_LEVEL),
        _u32("gpd.tee.trustedStorage.rollbackDetection.protectionLevel", REE_LEVEL),
        _u32("gpd.tee.arith.maxBigIntSize", MAX_BIG_INT_BITS),
        _bool("gpd.tee.cryptography.ecc", True),
        _bool("gpd.tee.cryptography.nist", True),
        _bool("gpd.tee.cryptography.bsi-r", False),  # three of seven curves
        _bool("gpd.tee.cryptography.bsi-t", False),
        _bool("gpd.tee.cryptography.ietf", True),
        _bool("gpd.tee.cryptography.octa", False),
        _u32("gpd.tee.event.maxSources", 0),
        _string("gpd.tee.trustedos.implementation.version", __version__),
        _block("gpd.tee.trustedos.implementation.binaryversion", version),
        _string("gpd.tee.trustedos.manufacturer", "tee_sim"),
        _string("gpd.tee.firmware.implementation.version", __version__),
        _block("gpd.tee.firmware.implementation.binaryversion", version),
        _string("gpd.tee.firmware.manufacturer", "tee_sim"),
    )
