"""Section 6 of the TEE Internal Core API 1.3.1: which words each function takes, and who works on it.

The words are the arguments of the C prototype, with one more: where an input may be longer than a frame, `ahead`
follows it, the number of its bytes that come in the next questions (`operations_cipher`).
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Final

import cryptography.hazmat.backends.openssl.backend  # noqa: F401 - the library imports it when it first makes a key
from cryptography.exceptions import AlreadyFinalized, AlreadyUpdated, InternalError, UnsupportedAlgorithm
from nacl.exceptions import CryptoError

from tee_sim.gp_api.instance import Instance
from tee_sim.gp_api.operations import Operations
from tee_sim.gp_api.operations_ae import AeCalls
from tee_sim.gp_api.operations_asymmetric import AsymmetricCalls
from tee_sim.gp_api.operations_cipher import CipherCalls
from tee_sim.gp_api.operations_derive import DeriveCalls
from tee_sim.gp_api.operations_digest import DigestCalls
from tee_sim.gp_api.operations_mac import MacCalls
from tee_sim.gp_api.words import Handler, Shape, attributes, data_or_null, handle, room, u32, u64
from tee_sim.gp_objects.panics import BreachError
from tee_sim.shared.gp_functions import Function

_F = Function
_REFUSALS: Final = (
    ValueError,
    OverflowError,
    UnsupportedAlgorithm,
    InternalError,
    AlreadyFinalized,
    AlreadyUpdated,
    CryptoError,
)
"""How the libraries say that something cannot be computed: the specification's "cryptographic algorithm failure"."""

_Run = Callable[..., Sequence[object]]


def handlers(instance: Instance) -> dict[Function, Handler]:
    """Of one instance, whose operations live and end with it."""
    operations = Operations(instance.objects)
    digest, cipher, mac, ae = (
        DigestCalls(operations),
        CipherCalls(operations),
        MacCalls(operations),
        AeCalls(operations),
    )
    asymmetric, derivation = AsymmetricCalls(operations), DeriveCalls(operations, instance.objects)
    rows: dict[Function, tuple[_Run, tuple[Shape, ...]]] = {
        _F.ALLOCATE_OPERATION: (operations.allocate, (u32, u32, u32)),
        _F.FREE_OPERATION: (operations.free, (handle,)),
        _F.GET_OPERATION_INFO: (operations.info, (handle,)),
        _F.GET_OPERATION_INFO_MULTIPLE: (operations.info_multiple, (handle, u64)),
        _F.RESET_OPERATION: (operations.reset, (handle,)),
        _F.SET_OPERATION_KEY: (operations.set_key, (handle, handle)),
        _F.SET_OPERATION_KEY2: (operations.set_key2, (handle, handle, handle)),
        _F.COPY_OPERATION: (operations.copy, (handle, handle)),
        _F.IS_ALGORITHM_SUPPORTED: (operations.is_supported, (u32, u32)),
        _F.DIGEST_UPDATE: (digest.update, (handle, data_or_null)),
        _F.DIGEST_DO_FINAL: (digest.do_final, (handle, data_or_null, u64, room)),
        _F.DIGEST_EXTRACT: (digest.extract, (handle, room)),
        _F.CIPHER_INIT: (cipher.init, (handle, data_or_null)),
        _F.CIPHER_UPDATE: (cipher.update, (handle, data_or_null, u64, room)),
        _F.CIPHER_DO_FINAL: (cipher.do_final, (handle, data_or_null, u64, room)),
        _F.MAC_INIT: (mac.init, (handle, data_or_null)),
        _F.MAC_UPDATE: (mac.update, (handle, data_or_null)),
        _F.MAC_COMPUTE_FINAL: (mac.compute, (handle, data_or_null, u64, room)),
        _F.MAC_COMPARE_FINAL: (mac.compare, (handle, data_or_null, u64, data_or_null)),
        _F.AE_INIT: (ae.init, (handle, data_or_null, u32, u64, u64)),
        _F.AE_UPDATE_AAD: (ae.update_aad, (handle, data_or_null)),
        _F.AE_UPDATE: (ae.update, (handle, data_or_null, u64, room)),
        _F.AE_ENCRYPT_FINAL: (ae.encrypt_final, (handle, data_or_null, u64, room, room)),
        _F.AE_DECRYPT_FINAL: (ae.decrypt_final, (handle, data_or_null, u64, room, data_or_null)),
        _F.ASYMMETRIC_ENCRYPT: (asymmetric.encrypt, (handle, attributes, data_or_null, room)),
        _F.ASYMMETRIC_DECRYPT: (asymmetric.decrypt, (handle, attributes, data_or_null, room)),
        _F.ASYMMETRIC_SIGN_DIGEST: (asymmetric.sign, (handle, attributes, data_or_null, room)),
        _F.ASYMMETRIC_VERIFY_DIGEST: (asymmetric.verify, (handle, attributes, data_or_null, data_or_null)),
        _F.DERIVE_KEY: (derivation.derive, (handle, attributes, handle)),
    }
    return {function: Handler(_careful(run), shapes) for function, (run, shapes) in rows.items()}


def _careful(run: _Run) -> _Run:
    """A refusal of a library is a panic of the function, never an end of the core."""

    @wraps(run)
    def called(*words: object) -> Sequence[object]:
        try:
            return run(*words)
        except _REFUSALS as error:
            raise BreachError("what cannot be computed") from error

    return called
