"""One boot: the secret that per-boot keys come from.

A phone's secure world starts once per boot. Here a process may start many times within one boot (a command line is a
process each), so the secret of the current boot is kept, sealed and anchored like every object, together with the name
the normal world gave that boot. Another name is another boot: a new secret, and the old one is gone for good, whatever
name comes later.

Not promised: the normal world can claim that the boot goes on, as it can refuse to switch a device off.
"""

import hmac
from uuid import UUID

from tee_sim.errors import TeeError, TeeResult
from tee_sim.rng import Rng
from tee_sim.ta_api import Store

__all__ = ["CORE_UUID", "shared_keys"]

CORE_UUID = UUID(int=0)
"""Namespace of the core's own objects; no manifest may have it."""
BOOT_OBJECT = b"boot"
BOOT_ID_BYTES = 16
SECRET_BYTES = 32


def _secret(store: Store, boot_id: bytes, rng: Rng) -> bytes:
    try:
        body = store.get(BOOT_OBJECT).body
    except TeeError as error:
        if error.result is not TeeResult.ITEM_NOT_FOUND:
            raise
        body = b""
    if len(body) == BOOT_ID_BYTES + SECRET_BYTES and hmac.compare_digest(body[:BOOT_ID_BYTES], boot_id):
        return body[BOOT_ID_BYTES:]
    secret = rng.bytes(SECRET_BYTES)
    with store.transaction() as transaction:
        transaction.put(BOOT_OBJECT, boot_id + secret, kind="boot")
    return secret


def shared_keys(names: list[str], store: Store, boot_id: bytes | None, rng: Rng) -> dict[str, bytes]:
    """A 32-byte key for each name. boot_id None: this start is a boot of its own, and nothing is stored."""
    if not names:
        return {}
    secret = rng.bytes(SECRET_BYTES) if boot_id is None else _secret(store, boot_id, rng)
    return {name: hmac.digest(secret, b"shared key " + name.encode("ascii"), "sha256") for name in names}
