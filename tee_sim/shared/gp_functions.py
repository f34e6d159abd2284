"""Every function of the TEE Internal Core API 1.3.1 that is here: number, name, section, what it may return.

The number is the specification's identification of a panicked function (annex B); it travels with every question of a
native application, and tells in a panic who panicked. The results are those that the clause of the function names;
whatever else comes of a call is a panic (section 2.3.3). `TEE_SUCCESS` is not listed.

Functions that version 1.3.1 deprecates have the section that they had in 1.0. The Peripheral and Event APIs (chapter 9)
are not here (docs/gp-api.md).
"""

from enum import Enum, unique

from tee_sim.shared.errors import TeeResult

_R = TeeResult
_NOTHING = frozenset[TeeResult]()
_DAMAGE = frozenset(
    {_R.CORRUPT_OBJECT, _R.CORRUPT_OBJECT_2, _R.STORAGE_NOT_AVAILABLE, _R.STORAGE_NOT_AVAILABLE_2}
)  # fmt: skip
_OPEN = _DAMAGE | {_R.ITEM_NOT_FOUND, _R.ACCESS_CONFLICT, _R.OUT_OF_MEMORY}
_PROPERTY = frozenset({_R.ITEM_NOT_FOUND, _R.BAD_FORMAT})
_SHORT = frozenset({_R.SHORT_BUFFER})
_FULL = frozenset({_R.OUT_OF_MEMORY})
_OVERFLOW = frozenset({_R.OVERFLOW})
_UNSUPPORTED = frozenset({_R.NOT_SUPPORTED})
_ASYMMETRIC = _SHORT | {_R.BAD_PARAMETERS, _R.NOT_SUPPORTED}


@unique
class FunctionPlace(Enum):
    """Where a function is worked on."""

    CORE = "core"
    """The host asks the core, with `Question.NATIVE`."""
    QUESTION = "question"
    """The host asks the core, with a question of its own: sessions of applications, cancellation, random bytes."""
    HOST = "host"
    """In the process of the application: memory, and numbers that the application holds."""


_CORE, _QUESTION, _HOST = FunctionPlace.CORE, FunctionPlace.QUESTION, FunctionPlace.HOST


class Function(Enum):
    """Number, name in C, section, place, and the results that an application may see; None for any."""

    GET_PROPERTY_AS_STRING = (0x207, "TEE_GetPropertyAsString", "4.4.1", _CORE, _SHORT | {_R.ITEM_NOT_FOUND})
    GET_PROPERTY_AS_BOOL = (0x205, "TEE_GetPropertyAsBool", "4.4.2", _CORE, _PROPERTY)
    GET_PROPERTY_AS_U32 = (0x208, "TEE_GetPropertyAsU32", "4.4.3", _CORE, _PROPERTY)
    GET_PROPERTY_AS_U64 = (0x20D, "TEE_GetPropertyAsU64", "4.4.3", _CORE, _PROPERTY)
    GET_PROPERTY_AS_BINARY_BLOCK = (0x204, "TEE_GetPropertyAsBinaryBlock", "4.4.4", _CORE, _PROPERTY | _SHORT)
    GET_PROPERTY_AS_UUID = (0x209, "TEE_GetPropertyAsUUID", "4.4.5", _CORE, _PROPERTY)
    GET_PROPERTY_AS_IDENTITY = (0x206, "TEE_GetPropertyAsIdentity", "4.4.6", _CORE, _PROPERTY)
    ALLOCATE_PROPERTY_ENUMERATOR = (0x201, "TEE_AllocatePropertyEnumerator", "4.4.7", _CORE, _FULL)
    FREE_PROPERTY_ENUMERATOR = (0x202, "TEE_FreePropertyEnumerator", "4.4.8", _CORE, _NOTHING)
    START_PROPERTY_ENUMERATOR = (0x20C, "TEE_StartPropertyEnumerator", "4.4.9", _CORE, _NOTHING)
    RESET_PROPERTY_ENUMERATOR = (0x20B, "TEE_ResetPropertyEnumerator", "4.4.10", _CORE, _NOTHING)
    GET_PROPERTY_NAME = (0x20A, "TEE_GetPropertyName", "4.4.11", _CORE, _SHORT | {_R.ITEM_NOT_FOUND})
    GET_NEXT_PROPERTY = (0x203, "TEE_GetNextProperty", "4.4.12", _CORE, frozenset({_R.ITEM_NOT_FOUND}))

    PANIC = (0x301, "TEE_Panic", "4.8.1", _HOST, _NOTHING)

    OPEN_TA_SESSION = (0x403, "TEE_OpenTASession", "4.9.1", _QUESTION, None)
    CLOSE_TA_SESSION = (0x401, "TEE_CloseTASession", "4.9.2", _QUESTION, _NOTHING)
    INVOKE_TA_COMMAND = (0x402, "TEE_InvokeTACommand", "4.9.3", _QUESTION, None)

    GET_CANCELLATION_FLAG = (0x501, "TEE_GetCancellationFlag", "4.10.1", _QUESTION, _NOTHING)
    UNMASK_CANCELLATION = (0x503, "TEE_UnmaskCancellation", "4.10.2", _QUESTION, _NOTHING)
    MASK_CANCELLATION = (0x502, "TEE_MaskCancellation", "4.10.3", _QUESTION, _NOTHING)

    CHECK_MEMORY_ACCESS_RIGHTS = (
        0x601,
        "TEE_CheckMemoryAccessRights",
        "4.11.1",
        _HOST,
        frozenset({_R.ACCESS_DENIED}),
    )
    SET_INSTANCE_DATA = (0x609, "TEE_SetInstanceData", "4.11.2", _HOST, _NOTHING)
    GET_INSTANCE_DATA = (0x603, "TEE_GetInstanceData", "4.11.3", _HOST, _NOTHING)
    MALLOC = (0x604, "TEE_Malloc", "4.11.4", _HOST, _NOTHING)
    REALLOC = (0x608, "TEE_Realloc", "4.11.5", _HOST, _NOTHING)
    FREE = (0x602, "TEE_Free", "4.11.6", _HOST, _NOTHING)
    MEM_MOVE = (0x607, "TEE_MemMove", "4.11.7", _HOST, _NOTHING)
    MEM_COMPARE = (0x605, "TEE_MemCompare", "4.11.8", _HOST, _NOTHING)
    MEM_FILL = (0x606, "TEE_MemFill", "4.11.9", _HOST, _NOTHING)

    GET_OBJECT_INFO1 = (0x706, "TEE_GetObjectInfo1", "5.5.1", _CORE, _DAMAGE)
    RESTRICT_OBJECT_USAGE1 = (0x707, "TEE_RestrictObjectUsage1", "5.5.2", _CORE, _DAMAGE)
    GET_OBJECT_BUFFER_ATTRIBUTE = (
        0x702,
        "TEE_GetObjectBufferAttribute",
        "5.5.3",
        _CORE,
        _DAMAGE | _SHORT | {_R.ITEM_NOT_FOUND},
    )
    GET_OBJECT_VALUE_ATTRIBUTE = (
        0x704,
        "TEE_GetObjectValueAttribute",
        "5.5.4",
        _CORE,
        _DAMAGE | {_R.ITEM_NOT_FOUND},
    )
    CLOSE_OBJECT = (0x701, "TEE_CloseObject", "5.5.5", _CORE, _NOTHING)
    GET_OBJECT_INFO = (0x703, "TEE_GetObjectInfo", "1.0, 5.5.1", _CORE, _NOTHING)
    RESTRICT_OBJECT_USAGE = (0x705, "TEE_RestrictObjectUsage", "1.0, 5.5.2", _CORE, _NOTHING)

    ALLOCATE_TRANSIENT_OBJECT = (0x801, "TEE_AllocateTransientObject", "5.6.1", _CORE, _FULL | _UNSUPPORTED)
    FREE_TRANSIENT_OBJECT = (0x803, "TEE_FreeTransientObject", "5.6.2", _CORE, _NOTHING)
    RESET_TRANSIENT_OBJECT = (0x808, "TEE_ResetTransientObject", "5.6.3", _CORE, _NOTHING)
    POPULATE_TRANSIENT_OBJECT = (
        0x807,
        "TEE_PopulateTransientObject",
        "5.6.4",
        _CORE,
        frozenset({_R.BAD_PARAMETERS}),
    )
    INIT_REF_ATTRIBUTE = (0x805, "TEE_InitRefAttribute", "5.6.5", _HOST, _NOTHING)
    INIT_VALUE_ATTRIBUTE = (0x806, "TEE_InitValueAttribute", "5.6.5", _HOST, _NOTHING)
    COPY_OBJECT_ATTRIBUTES1 = (0x809, "TEE_CopyObjectAttributes1", "5.6.6", _CORE, _DAMAGE)
    GENERATE_KEY = (0x804, "TEE_GenerateKey", "5.6.7", _CORE, frozenset({_R.BAD_PARAMETERS}))
    COPY_OBJECT_ATTRIBUTES = (0x802, "TEE_CopyObjectAttributes", "1.0, 5.6.6", _CORE, _NOTHING)

    OPEN_PERSISTENT_OBJECT = (0x903, "TEE_OpenPersistentObject", "5.7.1", _CORE, _OPEN)
    CREATE_PERSISTENT_OBJECT = (
        0x902,
        "TEE_CreatePersistentObject",
        "5.7.2",
        _CORE,
        _OPEN | {_R.STORAGE_NO_SPACE},
    )
    CLOSE_AND_DELETE_PERSISTENT_OBJECT1 = (
        0x905,
        "TEE_CloseAndDeletePersistentObject1",
        "5.7.4",
        _CORE,
        frozenset({_R.STORAGE_NOT_AVAILABLE, _R.STORAGE_NOT_AVAILABLE_2}),
    )
    RENAME_PERSISTENT_OBJECT = (0x904, "TEE_RenamePersistentObject", "5.7.5", _CORE, _DAMAGE | {_R.ACCESS_CONFLICT})
    CLOSE_AND_DELETE_PERSISTENT_OBJECT = (
        0x901,
        "TEE_CloseAndDeletePersistentObject",
        "1.0, 5.7.4",
        _CORE,
        _NOTHING,
    )

    ALLOCATE_PERSISTENT_OBJECT_ENUMERATOR = (0xA01, "TEE_AllocatePersistentObjectEnumerator", "5.8.1", _CORE, _FULL)
    FREE_PERSISTENT_OBJECT_ENUMERATOR = (0xA02, "TEE_FreePersistentObjectEnumerator", "5.8.2", _CORE, _NOTHING)
    RESET_PERSISTENT_OBJECT_ENUMERATOR = (0xA04, "TEE_ResetPersistentObjectEnumerator", "5.8.3", _CORE, _NOTHING)
    START_PERSISTENT_OBJECT_ENUMERATOR = (
        0xA05,
        "TEE_StartPersistentObjectEnumerator",
        "5.8.4",
        _CORE,
        _DAMAGE | {_R.ITEM_NOT_FOUND},
    )
    GET_NEXT_PERSISTENT_OBJECT = (
        0xA03,
        "TEE_GetNextPersistentObject",
        "5.8.5",
        _CORE,
        _DAMAGE | {_R.ITEM_NOT_FOUND},
    )

    READ_OBJECT_DATA = (0xB01, "TEE_ReadObjectData", "5.9.1", _CORE, _DAMAGE)
    WRITE_OBJECT_DATA = (
        0xB04,
        "TEE_WriteObjectData",
        "5.9.2",
        _CORE,
        _DAMAGE | _OVERFLOW | {_R.STORAGE_NO_SPACE},
    )
    TRUNCATE_OBJECT_DATA = (0xB03, "TEE_TruncateObjectData", "5.9.3", _CORE, _DAMAGE | {_R.STORAGE_NO_SPACE})
    SEEK_OBJECT_DATA = (0xB02, "TEE_SeekObjectData", "5.9.4", _CORE, _DAMAGE | _OVERFLOW)

    ALLOCATE_OPERATION = (0xC01, "TEE_AllocateOperation", "6.2.1", _CORE, _FULL | _UNSUPPORTED)
    FREE_OPERATION = (0xC03, "TEE_FreeOperation", "6.2.2", _CORE, _NOTHING)
    GET_OPERATION_INFO = (0xC04, "TEE_GetOperationInfo", "6.2.3", _CORE, _NOTHING)
    GET_OPERATION_INFO_MULTIPLE = (0xC08, "TEE_GetOperationInfoMultiple", "6.2.4", _CORE, _SHORT)
    RESET_OPERATION = (0xC05, "TEE_ResetOperation", "6.2.5", _CORE, _NOTHING)
    SET_OPERATION_KEY = (0xC06, "TEE_SetOperationKey", "6.2.6", _CORE, _DAMAGE)
    SET_OPERATION_KEY2 = (0xC07, "TEE_SetOperationKey2", "6.2.7", _CORE, _DAMAGE | {_R.SECURITY})
    COPY_OPERATION = (0xC02, "TEE_CopyOperation", "6.2.8", _CORE, _NOTHING)
    IS_ALGORITHM_SUPPORTED = (0xC09, "TEE_IsAlgorithmSupported", "6.2.9", _CORE, _UNSUPPORTED)

    DIGEST_UPDATE = (0xD02, "TEE_DigestUpdate", "6.3.1", _CORE, _NOTHING)
    DIGEST_DO_FINAL = (0xD01, "TEE_DigestDoFinal", "6.3.2", _CORE, _SHORT)
    DIGEST_EXTRACT = (0xD03, "TEE_DigestExtract", "6.3.3", _CORE, _NOTHING)

    CIPHER_INIT = (0xE02, "TEE_CipherInit", "6.4.1", _CORE, _NOTHING)
    CIPHER_UPDATE = (0xE03, "TEE_CipherUpdate", "6.4.2", _CORE, _SHORT)
    CIPHER_DO_FINAL = (0xE01, "TEE_CipherDoFinal", "6.4.3", _CORE, _SHORT)

    MAC_INIT = (0xF03, "TEE_MACInit", "6.5.1", _CORE, _NOTHING)
    MAC_UPDATE = (0xF04, "TEE_MACUpdate", "6.5.2", _CORE, _NOTHING)
    MAC_COMPUTE_FINAL = (0xF02, "TEE_MACComputeFinal", "6.5.3", _CORE, _SHORT)
    MAC_COMPARE_FINAL = (0xF01, "TEE_MACCompareFinal", "6.5.4", _CORE, frozenset({_R.MAC_INVALID}))

    AE_INIT = (0x1003, "TEE_AEInit", "6.6.1", _CORE, _UNSUPPORTED)
    AE_UPDATE_AAD = (0x1005, "TEE_AEUpdateAAD", "6.6.2", _CORE, _NOTHING)
    AE_UPDATE = (0x1004, "TEE_AEUpdate", "6.6.3", _CORE, _SHORT)
    AE_ENCRYPT_FINAL = (0x1002, "TEE_AEEncryptFinal", "6.6.4", _CORE, _SHORT)
    AE_DECRYPT_FINAL = (0x1001, "TEE_AEDecryptFinal", "6.6.5", _CORE, _SHORT | {_R.MAC_INVALID})

    ASYMMETRIC_ENCRYPT = (0x1102, "TEE_AsymmetricEncrypt", "6.7.1", _CORE, _ASYMMETRIC)
    ASYMMETRIC_DECRYPT = (
        0x1101,
        "TEE_AsymmetricDecrypt",
        "6.7.1",
        _CORE,
        _ASYMMETRIC | {_R.CIPHERTEXT_INVALID},
    )
    ASYMMETRIC_SIGN_DIGEST = (0x1103, "TEE_AsymmetricSignDigest", "6.7.2", _CORE, _SHORT)
    ASYMMETRIC_VERIFY_DIGEST = (
        0x1104,
        "TEE_AsymmetricVerifyDigest",
        "6.7.3",
        _CORE,
        frozenset({_R.SIGNATURE_INVALID}),
    )
    DERIVE_KEY = (0x1201, "TEE_DeriveKey", "6.8.1", _CORE, _NOTHING)
    GENERATE_RANDOM = (0x1301, "TEE_GenerateRandom", "6.9.1", _QUESTION, _NOTHING)

    GET_SYSTEM_TIME = (0x1402, "TEE_GetSystemTime", "7.2.1", _CORE, _NOTHING)
    WAIT = (0x1405, "TEE_Wait", "7.2.2", _QUESTION, frozenset({_R.CANCEL}))
    GET_TA_PERSISTENT_TIME = (
        0x1403,
        "TEE_GetTAPersistentTime",
        "7.2.3",
        _CORE,
        frozenset({_R.TIME_NOT_SET, _R.TIME_NEEDS_RESET, _R.OVERFLOW, _R.OUT_OF_MEMORY}),
    )
    SET_TA_PERSISTENT_TIME = (
        0x1404,
        "TEE_SetTAPersistentTime",
        "7.2.4",
        _CORE,
        frozenset({_R.OUT_OF_MEMORY, _R.STORAGE_NO_SPACE}),
    )
    GET_REE_TIME = (0x1401, "TEE_GetREETime", "7.2.5", _CORE, _NOTHING)

    BIG_INT_FMM_CONTEXT_SIZE_IN_U32 = (0x1501, "TEE_BigIntFMMContextSizeInU32", "8.4.2", _HOST, _NOTHING)
    BIG_INT_FMM_SIZE_IN_U32 = (0x1502, "TEE_BigIntFMMSizeInU32", "8.4.3", _HOST, _NOTHING)
    BIG_INT_INIT = (0x1601, "TEE_BigIntInit", "8.5.1", _HOST, _NOTHING)
    BIG_INT_INIT_FMM_CONTEXT1 = (0x1604, "TEE_BigIntInitFMMContext1", "8.5.2", _HOST, _UNSUPPORTED)
    BIG_INT_INIT_FMM = (0x1602, "TEE_BigIntInitFMM", "8.5.3", _HOST, _NOTHING)
    BIG_INT_INIT_FMM_CONTEXT = (0x1603, "TEE_BigIntInitFMMContext", "1.0, 8.5.2", _HOST, _NOTHING)
    BIG_INT_CONVERT_FROM_OCTET_STRING = (0x1701, "TEE_BigIntConvertFromOctetString", "8.6.1", _HOST, _OVERFLOW)
    BIG_INT_CONVERT_TO_OCTET_STRING = (0x1703, "TEE_BigIntConvertToOctetString", "8.6.2", _HOST, _SHORT)
    BIG_INT_CONVERT_FROM_S32 = (0x1702, "TEE_BigIntConvertFromS32", "8.6.3", _HOST, _NOTHING)
    BIG_INT_CONVERT_TO_S32 = (0x1704, "TEE_BigIntConvertToS32", "8.6.4", _HOST, _OVERFLOW)
    BIG_INT_CMP = (0x1801, "TEE_BigIntCmp", "8.7.1", _HOST, _NOTHING)
    BIG_INT_CMP_S32 = (0x1802, "TEE_BigIntCmpS32", "8.7.2", _HOST, _NOTHING)
    BIG_INT_SHIFT_RIGHT = (0x1805, "TEE_BigIntShiftRight", "8.7.3", _CORE, _NOTHING)
    BIG_INT_GET_BIT = (0x1803, "TEE_BigIntGetBit", "8.7.4", _HOST, _NOTHING)
    BIG_INT_GET_BIT_COUNT = (0x1804, "TEE_BigIntGetBitCount", "8.7.5", _HOST, _NOTHING)
    BIG_INT_SET_BIT = (0x1806, "TEE_BigIntSetBit", "8.7.6", _HOST, _OVERFLOW)
    BIG_INT_ASSIGN = (0x1807, "TEE_BigIntAssign", "8.7.7", _HOST, _OVERFLOW)
    BIG_INT_ABS = (0x1808, "TEE_BigIntAbs", "8.7.8", _HOST, _OVERFLOW)
    BIG_INT_ADD = (0x1901, "TEE_BigIntAdd", "8.8.1", _CORE, _NOTHING)
    BIG_INT_SUB = (0x1906, "TEE_BigIntSub", "8.8.2", _CORE, _NOTHING)
    BIG_INT_NEG = (0x1904, "TEE_BigIntNeg", "8.8.3", _HOST, _NOTHING)
    BIG_INT_MUL = (0x1903, "TEE_BigIntMul", "8.8.4", _CORE, _NOTHING)
    BIG_INT_SQUARE = (0x1905, "TEE_BigIntSquare", "8.8.5", _CORE, _NOTHING)
    BIG_INT_DIV = (0x1902, "TEE_BigIntDiv", "8.8.6", _CORE, _NOTHING)
    BIG_INT_MOD = (0x1A03, "TEE_BigIntMod", "8.9.1", _CORE, _NOTHING)
    BIG_INT_ADD_MOD = (0x1A01, "TEE_BigIntAddMod", "8.9.2", _CORE, _NOTHING)
    BIG_INT_SUB_MOD = (0x1A06, "TEE_BigIntSubMod", "8.9.3", _CORE, _NOTHING)
    BIG_INT_MUL_MOD = (0x1A04, "TEE_BigIntMulMod", "8.9.4", _CORE, _NOTHING)
    BIG_INT_SQUARE_MOD = (0x1A05, "TEE_BigIntSquareMod", "8.9.5", _CORE, _NOTHING)
    BIG_INT_INV_MOD = (0x1A02, "TEE_BigIntInvMod", "8.9.6", _CORE, _NOTHING)
    BIG_INT_EXP_MOD = (0x1A07, "TEE_BigIntExpMod", "8.9.7", _CORE, _UNSUPPORTED)
    BIG_INT_RELATIVE_PRIME = (0x1B03, "TEE_BigIntRelativePrime", "8.10.1", _CORE, _NOTHING)
    BIG_INT_COMPUTE_EXTENDED_GCD = (0x1B01, "TEE_BigIntComputeExtendedGcd", "8.10.2", _CORE, _NOTHING)
    BIG_INT_IS_PROBABLE_PRIME = (0x1B02, "TEE_BigIntIsProbablePrime", "8.10.3", _CORE, _NOTHING)
    BIG_INT_CONVERT_TO_FMM = (0x1C03, "TEE_BigIntConvertToFMM", "8.11.1", _CORE, _NOTHING)
    BIG_INT_CONVERT_FROM_FMM = (0x1C02, "TEE_BigIntConvertFromFMM", "8.11.2", _CORE, _NOTHING)
    BIG_INT_COMPUTE_FMM = (0x1C01, "TEE_BigIntComputeFMM", "8.11.3", _CORE, _NOTHING)

    def __init__(
        self, number: int, c_name: str, section: str, place: FunctionPlace, allowed: frozenset[TeeResult] | None
    ) -> None:
        self.number = number
        self.c_name = c_name
        self.section = section
        self.place = place
        self.allowed = allowed

    def may_return(self, result: TeeResult) -> bool:
        """Whether its clause names this result."""
        return self.allowed is None or result in self.allowed


BY_NUMBER = {function.number: function for function in Function}
"""Of every function; a number that is not here is nobody's."""
