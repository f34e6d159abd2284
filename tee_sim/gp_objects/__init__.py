"""GlobalPlatform persistent and transient objects (TEE Internal Core API 1.3.1, chapter 5) for trusted applications.

    objects = GpObjects(env.store)
    handle = objects.create(b"counter", Flag.ACCESS_READ | Flag.ACCESS_WRITE, b"\\0" * 8)
    objects.write(handle, b"\\1")
    objects.close(handle)

    key = objects.allocate_transient(ObjectType.AES, 256)
    objects.generate_key(key, 256)
    handle = objects.create(b"key", Flag.ACCESS_READ, attributes=key)

What a function may return is its row in `tee_sim.shared.gp_functions`; everything else is a `TaPanic`, which ends the
instance. Departures from the specification and from OP-TEE: docs/gp-objects.md.
"""

from tee_sim.gp_objects.attributes import KeyAttribute, reference, value
from tee_sim.gp_objects.constants import MAX_DATA_BYTES, MAX_POSITION, Flag, ObjectInfo, Whence
from tee_sim.gp_objects.enumerators import Enumerators
from tee_sim.gp_objects.key_types import Attribute, Curve, ObjectType, Usage
from tee_sim.gp_objects.objects import GpObjects
from tee_sim.gp_objects.panics import TaPanic
from tee_sim.shared.gp_functions import Function

__all__ = [
    "MAX_DATA_BYTES", "MAX_POSITION", "Attribute", "Curve", "Enumerators", "Flag", "Function", "GpObjects",
    "KeyAttribute", "ObjectInfo", "ObjectType", "TaPanic", "Usage", "Whence", "reference", "value",
]  # fmt: skip
