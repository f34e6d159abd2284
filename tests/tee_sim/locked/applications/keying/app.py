"""Generates a key of each family where nothing but memory and randomness is left, stores it, and reads it again."""

from typing import Any

from tee_sim.gp_objects import Attribute, Curve, Flag, GpObjects, KeyAttribute, ObjectType, Usage, value
from tee_sim.shared.params import Params, replaced
from tee_sim.shared.ta_api import TaEnv

KINDS: tuple[tuple[ObjectType, int, tuple[KeyAttribute, ...], Attribute], ...] = (
    (ObjectType.AES, 256, (), Attribute.SECRET_VALUE),
    (ObjectType.HMAC_SHA512, 512, (), Attribute.SECRET_VALUE),
    (ObjectType.RSA_KEYPAIR, 2048, (), Attribute.RSA_PRIVATE_EXPONENT),
    (ObjectType.ECDSA_KEYPAIR, 521, (value(Attribute.ECC_CURVE, Curve.NIST_P521),), Attribute.ECC_PRIVATE_VALUE),
)
MAKE, LOOK, STEAL = range(3)


class Keying:
    """Parameter 0: which of KINDS; 1: an output number."""

    def create(self, env: TaEnv) -> None:
        self.objects = GpObjects(env.store, env.rng)

    def open_session(self, params: Params) -> object:
        return None

    def invoke(self, session: Any, command: int, params: Params) -> Params:
        kind, size_bits, parameters, secret = KINDS[params[0].a]
        if command == MAKE:
            key = self.objects.allocate_transient(kind, size_bits)
            self.objects.generate_key(key, size_bits, *parameters)
            self.objects.restrict_usage(key, Usage.SIGN)
            flags = Flag.ACCESS_READ | Flag.OVERWRITE
            self.objects.close(self.objects.create(kind.name.encode(), flags, attributes=key))
            return params
        handle = self.objects.open(kind.name.encode(), Flag.ACCESS_READ)
        if command == STEAL:
            self.objects.buffer_attribute(handle, secret)
        info = self.objects.info(handle)
        self.objects.close(handle)
        return replaced(params, 1, type(params[1])(kind=params[1].kind, a=info.object_type, b=info.object_size))

    def close_session(self, session: Any) -> None: ...

    def destroy(self) -> None: ...
